// Asks for the snapshot every few seconds, while no websocket gets through.
import { expectOk, PROTOCOL, Refused } from "./refusal.js";

const EVERY = 5; // seconds
const EVERY_WHEN_FINISHED = 30;
const FIRST_WITHIN = 1; // many pages may have lost their connection at the same moment
const PATIENCE = 10;
const FINISHED = ["SUCCEEDED", "FAILED", "CANCELLED", "LOST"];

export class Polling {
  /** Whether the last question was answered, and when an answer came last. */
  works = false;
  heardAt = 0;
  #wanted = false;
  #timer = 0;
  #question = null;

  /**
   * `shown()` returns {attempt, seq, state} of what the page shows. `onAnswer` gets what is new, or
   * null, and a heartbeat, both as messages of the websocket; `onRefused` the name of the words to
   * show when asking again makes no sense; `onChange` is called whenever `works` changes.
   */
  constructor({ url, shown, onAnswer, onRefused, onChange }) {
    Object.assign(this, { url, shown, onAnswer, onRefused, onChange });
  }

  /** Seconds between two questions. */
  get interval() {
    return FINISHED.includes(this.shown().state) ? EVERY_WHEN_FINISHED : EVERY;
  }

  /** Begin or end; does nothing when it is as wanted already. */
  turn(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#question?.abort();
    this.#question = null;
    clearTimeout(this.#timer);
    this.works = false;
    if (wanted) this.#askIn(Math.random() * FIRST_WITHIN);
  }

  /** Ask now: somebody looks at the page again, or the network is back. */
  wake() {
    if (this.#wanted && !this.#question) this.#askIn(0);
  }

  #askIn(seconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), seconds * 1000);
  }

  async #ask() {
    // Nobody looks, or nobody can answer: `wake()` will be called.
    if (document.hidden || !navigator.onLine) return;
    const question = new AbortController();
    this.#question = question;
    const tooLate = setTimeout(() => question.abort(), PATIENCE * 1000);
    const isOver = () => this.#question !== question;
    try {
      const [news, heartbeat] = await this.#fetch(question.signal);
      if (isOver()) return;
      this.heardAt = Date.now();
      this.onAnswer(news, heartbeat);
      this.#become(true);
    } catch (error) {
      if (isOver()) return;
      if (error instanceof Refused) return this.onRefused(error.message);
      this.#become(false);
    } finally {
      clearTimeout(tooLate);
    }
    if (isOver()) return;
    this.#question = null;
    this.#askIn(this.interval);
  }

  async #fetch(signal) {
    const { attempt, seq, state } = this.shown();
    const url = new URL(this.url, location.href);
    url.search = new URLSearchParams({ attempt, seq });
    const headers = { Accept: "application/json", "If-None-Match": `"${attempt}-${seq}-${state}"` };
    const response = await fetch(url, { headers, signal, cache: "no-store" });
    const isOld = response.status === 304;
    if (!isOld) expectOk(response);
    const [protocol, heartbeat] = ["Liveop-Protocol", "Liveop-Heartbeat"].map((name) =>
      JSON.parse(response.headers.get(name)),
    );
    if (!heartbeat) throw new Error(`${url} answered with something else than a snapshot`);
    if (protocol !== PROTOCOL) throw new Refused("outdated");
    return [isOld ? null : await response.json(), heartbeat];
  }

  #become(works) {
    if (works === this.works) return;
    this.works = works;
    this.onChange();
  }
}
