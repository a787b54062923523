// How far what the page shows can be trusted: the answer in one word, and since when.

const HEARTBEAT = 5; // seconds between two heartbeats of the server
const STALE_AFTER = 10; // seconds without a sign of life from the worker
const LOST_AFTER = 30;

const secondsSince = (time) => (Date.now() - time) / 1000;

/**
 * `connection` is the Connection, `state` the operation's, `position` the {attempt, seq} shown;
 * `beat` is the last heartbeat as {at, age, head, state}, or null when a frame came after it.
 * Returns {name, word, seconds}: the attribute's value, the words to show, the number in them.
 */
export function freshness({ connection, state, position, beat }) {
  switch (connection.status) {
    case "stopped":
      return { name: "stopped", word: connection.reason };
    case "waiting": {
      const seconds = Math.max(0, Math.ceil(-secondsSince(connection.retryAt)));
      return navigator.onLine
        ? { name: "reconnecting", word: "waiting", seconds }
        : { name: "offline", word: "offline" };
    }
    case "open":
      return state === "RUNNING" ? whileRunning(connection, position, beat) : whileStill(state);
    default:
      return connection.heardAt
        ? { name: "reconnecting", word: "reconnecting" }
        : { name: "connecting", word: "connecting" };
  }
}

function whileStill(state) {
  if (state === "LOST") return { name: "worker-lost", word: "lost" };
  return { name: "live", word: state === "QUEUED" ? "live" : "up-to-date" };
}

function whileRunning(connection, position, beat) {
  const unheard = secondsSince(connection.heardAt);
  const workerSilent = beat ? beat.age + secondsSince(beat.at) : unheard;
  const seconds = Math.floor(workerSilent);
  if (beat && beat.age >= LOST_AFTER) return { name: "worker-lost", word: "worker-lost", seconds };
  if (unheard > 2 * HEARTBEAT || seconds >= STALE_AFTER) {
    return { name: "stale", word: "stale", seconds };
  }
  const behind =
    beat?.head.attempt > position.attempt ||
    (beat?.head.attempt === position.attempt && beat.head.seq > position.seq);
  return behind ? { name: "catching-up", word: "catching-up" } : { name: "live", word: "live" };
}
