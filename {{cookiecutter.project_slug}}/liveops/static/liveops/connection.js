// One operation's websocket: its token, its retries, its acknowledgements, its end.
import { expectOk, PROTOCOL, Refused } from "./refusal.js";

const BACKOFF_BASE = 500; // all times in milliseconds
const BACKOFF_CAP = 30_000;
const SETTLED_AFTER = 5_000; // a connection that lasted so long has earned a new, short backoff
const HANDSHAKE_LIMIT = 10_000;
const SILENCE_LIMIT = 25_000; // five heartbeats missed: dead, though nobody closed it
const ACK_INTERVAL = 500;
const ACK_BYTES = 64 * 1024;
const IN_VAIN = 2; // so many attempts in a row, and no websocket seems to get through
const FINAL = { 4403: "not-allowed", 4404: "gone" };

/** Full jitter: anywhere between nothing and the doubled, capped delay. */
export const backoff = (failures) =>
  Math.random() * Math.min(BACKOFF_CAP, BACKOFF_BASE * 2 ** failures);

export class Connection {
  /** connecting | open | waiting | paused | stopped */
  status = "paused";
  reason = "";
  retryAt = 0;
  heardAt = 0;
  #socket = null;
  #turn = 0;
  #failures = 0;
  #inVain = 0;
  #startedAt = 0;
  #openedAt = 0;
  #freshened = false;
  #retryTimer = 0;
  #ackTimer = 0;
  #unacked = 0;

  /**
   * `position()` returns the {attempt, seq} last shown; `onMessage` gets every message after
   * authentication; `onChange` is called whenever `status` changes.
   */
  constructor({ socketUrl, tokenUrl, csrf, token, position, onMessage, onChange }) {
    Object.assign(this, { socketUrl, tokenUrl, csrf, token, position, onMessage, onChange });
  }

  /** Whether the last attempts all ended before the server let us in. */
  get isBarred() {
    return this.status !== "open" && this.#inVain >= IN_VAIN;
  }

  /** Connect now, whatever was under way. */
  async connect() {
    this.#drop();
    this.#openedAt = 0;
    const turn = ++this.#turn;
    this.#startedAt = Date.now();
    this.#become("connecting");
    const fromPage = Boolean(this.token);
    let token = this.token;
    this.token = "";
    try {
      token ||= await this.#fetchToken();
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error instanceof Refused) this.stop(error.message);
      else this.#retryLater();
      return;
    }
    if (turn === this.#turn) this.#open(token, fromPage);
  }

  /** Close without wanting to come back by itself: the page is hidden away or taken apart. */
  pause() {
    this.#drop();
    this.#turn++;
    this.#become("paused");
  }

  stop(reason) {
    this.#drop();
    this.#turn++;
    this.reason = reason;
    this.#become("stopped");
  }

  /** The network went away: let go of the dead socket and try again by and by. */
  lose() {
    if (this.status === "stopped" || this.status === "paused") return;
    this.#drop();
    this.#turn++;
    this.#retryLater();
  }

  /** Called about once a second; `expected` says whether the server should be heard by now. */
  check(expected) {
    const now = Date.now();
    const stuck = this.status === "connecting" && now - this.#startedAt > HANDSHAKE_LIMIT;
    const silent = this.status === "open" && expected && now - this.heardAt > SILENCE_LIMIT;
    // An attempt that hangs tells as much as two that fail, and takes longer.
    if (stuck) this.#inVain++;
    if (stuck || silent) this.lose();
  }

  #open(token, fromPage) {
    const url = new URL(this.socketUrl, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => this.#send({ type: "subscribe", token, after: this.position() });
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#closed(code, fromPage);
  }

  #receive(data) {
    this.heardAt = Date.now();
    const message = JSON.parse(data);
    if (message.type === "authentication") {
      if (message.protocol !== PROTOCOL) return this.stop("outdated");
      this.#openedAt = this.heardAt;
      this.#inVain = 0;
      return this.#become("open");
    }
    this.onMessage(message);
    if (message.type === "heartbeat") return;
    this.#unacked += data.length;
    if (this.#unacked >= ACK_BYTES) this.#ack();
    else this.#ackTimer ||= setTimeout(() => this.#ack(), ACK_INTERVAL);
  }

  #ack() {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = 0;
    this.#unacked = 0;
    this.#send({ type: "ack", ...this.position() });
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #closed(code, fromPage) {
    const authenticated = this.#openedAt > 0;
    if (authenticated && Date.now() - this.#openedAt > SETTLED_AFTER) {
      this.#failures = 0;
      this.#freshened = false;
    }
    this.#drop();
    if (code in FINAL) return this.stop(FINAL[code]);
    // A token kept by the back button or the browser's cache has been used: that is no refusal.
    const stale = code === 4410 || (code === 4401 && fromPage && !authenticated);
    if (code === 4401 && !stale) return this.stop("signed-out");
    if (stale && !this.#freshened) {
      this.#freshened = true;
      return this.connect();
    }
    this.#retryLater();
  }

  #retryLater() {
    if (!this.#openedAt) this.#inVain++;
    const delay = backoff(this.#failures++);
    this.retryAt = Date.now() + delay;
    this.#retryTimer = setTimeout(() => this.connect(), delay);
    this.#become("waiting");
  }

  async #fetchToken() {
    const response = await fetch(this.tokenUrl, {
      method: "POST",
      headers: { "X-CSRFToken": this.csrf, Accept: "application/json" },
      signal: AbortSignal.timeout(HANDSHAKE_LIMIT),
    });
    expectOk(response);
    return (await response.json()).token;
  }

  #drop() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#ackTimer);
    this.#ackTimer = 0;
    this.#unacked = 0;
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  #become(status) {
    this.status = status;
    this.onChange();
  }
}
