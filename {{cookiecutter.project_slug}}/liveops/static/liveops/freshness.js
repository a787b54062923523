// How far what the page shows can be trusted: the answer in one word, and since when.
import { isAfter } from "./position.js";

const HEARTBEAT = 5; // seconds between two heartbeats of the server
const STALE_AFTER = 10; // seconds without a sign of life from the worker
const LOST_AFTER = 30;

const secondsSince = (time) => (Date.now() - time) / 1000;

/**
 * `connection` is the Connection, `polling` the Polling, `state` the operation's, `position` the
 * {attempt, seq} shown; `beat` is the last heartbeat as {at, age, head, state}, or null when a
 * frame came after it. Returns {name, word, seconds}: the attribute's value, the words to show, the
 * number in them.
 */
export function freshness({ connection, polling, state, position, beat }) {
  const { status } = connection;
  if (status === "stopped") return { name: "stopped", word: connection.reason };
  if (status === "open") {
    return state === "RUNNING" ? whileRunning(connection, position, beat) : whileStill(state);
  }
  if (status === "waiting" && !navigator.onLine) return { name: "offline", word: "offline" };
  if (polling.works) return whilePolling(polling, state, beat);
  if (status === "waiting") {
    const seconds = Math.max(0, Math.ceil(-secondsSince(connection.retryAt)));
    return { name: "reconnecting", word: "waiting", seconds };
  }
  return connection.heardAt
    ? { name: "reconnecting", word: "reconnecting" }
    : { name: "connecting", word: "connecting" };
}

function whileStill(state) {
  if (state === "LOST") return { name: "worker-lost", word: "lost" };
  return { name: "live", word: state === "QUEUED" ? "live" : "up-to-date" };
}

function whileRunning(connection, position, beat) {
  const unheard = secondsSince(connection.heardAt);
  const workerSilent = beat ? silence(beat) : unheard;
  const seconds = Math.floor(workerSilent);
  if (beat && beat.age >= LOST_AFTER) return { name: "worker-lost", word: "worker-lost", seconds };
  if (unheard > 2 * HEARTBEAT || seconds >= STALE_AFTER) {
    return { name: "stale", word: "stale", seconds };
  }
  return beat && isAfter(beat.head, position)
    ? { name: "catching-up", word: "catching-up" }
    : { name: "live", word: "live" };
}

function whilePolling(polling, state, beat) {
  if (state === "LOST") return { name: "worker-lost", word: "lost" };
  // The age is that of the last answer: between two answers it grows without meaning anything.
  const age = (state === "RUNNING" && beat?.age) || 0;
  if (age >= LOST_AFTER) {
    return { name: "worker-lost", word: "worker-lost", seconds: Math.floor(silence(beat)) };
  }
  const unheard = secondsSince(polling.heardAt);
  if (age >= STALE_AFTER || unheard > 2 * polling.interval) {
    const seconds = Math.floor(age + unheard);
    return { name: "stale", word: "stale", seconds };
  }
  return { name: "polling", word: "polling", seconds: polling.interval };
}

/** Seconds since the worker's last sign of life that we know of. */
const silence = (beat) => beat.age + secondsSince(beat.at);
