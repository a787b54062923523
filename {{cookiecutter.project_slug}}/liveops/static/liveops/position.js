// How far somebody has come: {attempt, seq}.

export const isAfter = (one, other) =>
  one.attempt > other.attempt || (one.attempt === other.attempt && one.seq > other.seq);
