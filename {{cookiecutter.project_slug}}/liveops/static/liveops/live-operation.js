// <live-operation>: shows one operation live. Attributes in, attributes out; no globals.
import { Connection } from "./connection.js";
import { freshness } from "./freshness.js";
import { morph } from "./htmx.js";
import { LogView } from "./log-view.js";
import { Polling } from "./polling.js";
import { isAfter } from "./position.js";
import "./submit-once.js";
import { Words } from "./words.js";

const HIDDEN_PAGE_INTERVAL = 250; // ms; a hidden page gets no animation frames

class LiveOperation extends HTMLElement {
  #connection;
  #polling;
  #log;
  #words;
  #listeners;
  #ticker = 0;
  #cancelDrawing = null;
  #fragments = new Map(); // CSS selector -> newest HTML, until it is drawn
  #missing = new Set();
  #beat = null; // {at, age, head}: what the last heartbeat said
  #redirect = "";
  #title = document.title;

  connectedCallback() {
    const { liveopSocket, liveopTokenUrl, liveopCsrf, liveopToken, liveopSnapshotUrl } =
      this.dataset;
    this.#words = new Words(this.querySelector("template[data-liveop-words]"));
    this.#log = new LogView(this.#part("log"), (view) => this.#showLogEnds(view));
    this.#connection = new Connection({
      socketUrl: liveopSocket,
      tokenUrl: liveopTokenUrl,
      csrf: liveopCsrf,
      token: liveopToken,
      position: () => this.#position,
      onMessage: (message) => this.#take(message),
      onChange: () => this.#connectionChanged(),
    });
    this.#polling = new Polling({
      url: liveopSnapshotUrl,
      shown: () => ({ ...this.#position, state: this.getAttribute("state") }),
      onAnswer: (news, heartbeat) => this.#takeAnswer(news, heartbeat),
      onRefused: (reason) => this.#connection.stop(reason),
      onChange: () => this.#pollingChanged(),
    });
    this.removeAttribute("data-liveop-token"); // it is good for one connection only
    this.#listen();
    this.#ticker = setInterval(() => this.#tick(), 1000);
    this.#showTitle();
    this.#connection.connect();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    clearInterval(this.#ticker);
    this.#cancelDrawing?.();
    this.#cancelDrawing = null;
    this.#connection.onChange = () => {};
    this.#connection.pause();
    this.#polling.turn(false);
    this.#log.release();
    document.title = this.#title;
  }

  get #position() {
    return { attempt: Number(this.dataset.liveopAttempt), seq: Number(this.dataset.liveopSeq) };
  }

  #part(name) {
    return this.querySelector(`[data-liveop-part="${name}"]`);
  }

  #listen() {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const connection = this.#connection;
    const reconnect = () => {
      this.#polling.wake();
      if (connection.status === "waiting") connection.connect();
    };
    addEventListener("online", reconnect, { signal });
    addEventListener("offline", () => connection.lose(), { signal });
    addEventListener("pagehide", () => connection.pause(), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && connection.connect(), { signal });
    document.addEventListener(
      "visibilitychange",
      () => {
        if (this.#cancelDrawing) this.#draw(); // the way drawing was planned may not come now
        if (document.hidden) return;
        this.#tick();
        reconnect();
      },
      { signal },
    );
    this.addEventListener(
      "click",
      ({ target }) => {
        if (target.closest("[data-liveop-now]")) reconnect();
        if (target.closest("[data-liveop-reload]")) location.reload();
        if (target.closest("[data-liveop-jump]")) this.#log.jumpToEnd();
      },
      { signal },
    );
    this.addEventListener("submit", (event) => this.#submit(event), { signal });
  }

  /** Cancel and Retry without leaving the page, as long as the answer will be seen here. */
  async #submit(event) {
    const action = event.target.closest("[data-liveop-action]");
    const willBeSeen = this.#connection.status === "open" || this.#polling.works;
    if (!action || event.defaultPrevented || !willBeSeen) return;
    event.preventDefault();
    const form = event.target;
    const options = { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } };
    const response = await fetch(form.action, options).catch(() => null);
    if (response?.status !== 204) return form.submit(); // shows what is wrong
    this.toggleAttribute("cancelling", action.dataset.liveopAction === "cancel");
    this.#polling.wake();
  }

  #connectionChanged() {
    const { status, isBarred } = this.#connection;
    // What was heard by asking is nothing that the websocket has to go on saying.
    if (status === "open") this.#beat = null;
    this.#polling.turn(isBarred && (status === "waiting" || status === "connecting"));
    this.#showFreshness();
  }

  #pollingChanged() {
    // The server answers again: perhaps it takes websockets again, too.
    if (this.#polling.works && this.#connection.status === "waiting") this.#connection.connect();
    this.#showFreshness();
  }

  #takeAnswer(news, heartbeat) {
    // The websocket may have been ahead of the record, which has the last word at the end only.
    const isBehind = news?.state === "RUNNING" && isAfter(this.#position, news);
    if (news && !isBehind) this.#take(news);
    this.#take(heartbeat);
  }

  #take(message) {
    if (message.type === "heartbeat") this.#takeHeartbeat(message);
    const isNew = message.type === "frame" && isAfter(message, this.#position);
    if (isNew || message.type === "snapshot") this.#takeFrame(message);
  }

  #takeHeartbeat({ attempt, seq, state, age }) {
    this.#beat = { at: Date.now(), age: age ?? 0, head: { attempt, seq }, state };
    this.#showFreshness();
  }

  #takeFrame({ type, attempt, seq, state, parts = {}, regions = {}, log, redirect }) {
    const anotherAttempt = attempt !== this.#position.attempt;
    if (anotherAttempt) this.#startOver();
    if (type === "snapshot") this.#log.replace(log);
    else if (log) this.#log.add(log);
    for (const [name, html] of Object.entries(parts)) {
      this.#fragments.set(`[data-liveop-part="${name}"]`, html);
    }
    for (const [selector, html] of Object.entries(regions)) this.#fragments.set(selector, html);
    this.dataset.liveopAttempt = attempt;
    this.dataset.liveopSeq = seq;
    this.#beat = null; // a frame is a sign of life and newer than any heartbeat before it
    if (redirect) this.#redirect = redirect;
    this.#setState(state, anotherAttempt);
    this.#planDrawing();
    this.#showFreshness();
  }

  #startOver() {
    this.#log.clear();
    this.#fragments.clear();
    this.#fragments.set('[data-liveop-part="result"]', "");
    this.removeAttribute("cancelling");
  }

  #setState(state, anotherAttempt) {
    if (state === this.getAttribute("state") && !anotherAttempt) return;
    this.setAttribute("state", state);
    for (const form of this.querySelectorAll("submit-once")) form.ready();
    this.#announce(`state-${state}`);
  }

  #planDrawing() {
    if (this.#cancelDrawing) return;
    if (document.hidden) {
      const timer = setTimeout(() => this.#draw(), HIDDEN_PAGE_INTERVAL);
      this.#cancelDrawing = () => clearTimeout(timer);
    } else {
      const request = requestAnimationFrame(() => this.#draw());
      this.#cancelDrawing = () => cancelAnimationFrame(request);
    }
  }

  #draw() {
    this.#cancelDrawing?.();
    this.#cancelDrawing = null;
    for (const [selector, html] of this.#fragments) this.#swap(selector, html);
    this.#fragments.clear();
    if (this.#log.flush()) this.#planDrawing();
    this.#showTitle();
    this.#follow();
  }

  async #swap(selector, html) {
    try {
      const target = this.querySelector(selector) ?? document.querySelector(selector);
      if (target) return await morph(target, html);
      throw new Error("nothing on this page matches it");
    } catch (error) {
      if (this.#missing.has(selector)) return;
      this.#missing.add(selector);
      console.warn(`live-operation: cannot show the fragment for ${selector}: ${error.message}`);
    }
  }

  #follow() {
    if (!this.#redirect) return;
    const url = new URL(this.#redirect, location.href);
    this.#redirect = "";
    if (url.origin === location.origin && url.href !== location.href) location.assign(url);
  }

  #tick() {
    const state = this.getAttribute("state");
    this.#connection.check(state === "RUNNING" || state === this.#beat?.state);
    this.#showFreshness();
  }

  #showFreshness() {
    const { name, word, seconds } = freshness({
      connection: this.#connection,
      polling: this.#polling,
      state: this.getAttribute("state"),
      position: this.#position,
      beat: this.#beat,
    });
    const values = seconds === undefined ? {} : { seconds };
    this.#words.say(this.querySelector("[data-liveop-connection]"), word, values);
    const before = this.getAttribute("freshness");
    if (name === before) return;
    this.setAttribute("freshness", name);
    const expected = ["connecting", "catching-up"];
    if (!expected.includes(name) && !(name === "live" && expected.includes(before))) {
      this.#announce(word, values);
    }
  }

  /** For screen readers, and only what changes rarely: the state and the connection. */
  #announce(word, values) {
    this.querySelector("[data-liveop-announce]").textContent = this.#words.text(word, values);
  }

  #showLogEnds({ earlier, unseen, following }) {
    const earlierPart = this.#part("earlier");
    earlierPart.hidden = earlier === 0;
    if (earlier) this.#words.say(earlierPart, "earlier", { count: earlier });
    const jump = this.querySelector("[data-liveop-jump]");
    jump.hidden = following;
    this.#words.say(jump, unseen ? "new-lines" : "jump", unseen ? { count: unseen } : {});
  }

  #showTitle() {
    if (!this.hasAttribute("data-liveop-title")) return;
    const state = this.getAttribute("state");
    const percent = this.#part("progress").querySelector("progress")?.getAttribute("value");
    const lead =
      state === "RUNNING" && percent ? `${Math.floor(percent)} %` : this.#words.text(`state-${state}`);
    document.title = `${lead} · ${this.#title}`;
  }
}

customElements.define("live-operation", LiveOperation);
