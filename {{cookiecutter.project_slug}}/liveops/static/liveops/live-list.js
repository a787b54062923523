// <live-list src interval>: asks its address every few seconds, while somebody can see it.
import { morph } from "./htmx.js";

class LiveList extends HTMLElement {
  #timer = 0;
  #etag = "";
  #updatedAt = Date.now();
  #request = null;
  #listeners;
  #note;

  connectedCallback() {
    this.#listeners = new AbortController();
    this.#note ??= this.querySelector("[data-live-list-note]").textContent;
    const { signal } = this.#listeners;
    document.addEventListener("visibilitychange", () => this.#poll(), { signal });
    addEventListener("online", () => this.#poll(), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.#poll(), { signal });
    this.#plan();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#request?.abort();
    clearTimeout(this.#timer);
  }

  #plan() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#poll(), Number(this.getAttribute("interval")) * 1000);
  }

  async #poll() {
    clearTimeout(this.#timer);
    if (document.hidden || this.#request) return; // becoming visible, or the answer, goes on
    this.#request = new AbortController();
    try {
      await this.#update(AbortSignal.any([this.#request.signal, AbortSignal.timeout(10_000)]));
      this.#updatedAt = Date.now();
    } catch (error) {
      if (!this.isConnected) return;
      this.setAttribute("stale", error.message);
    } finally {
      this.#request = null;
    }
    this.#showAge();
    this.#plan();
  }

  async #update(signal) {
    const headers = this.#etag ? { "If-None-Match": this.#etag } : {};
    const response = await fetch(this.getAttribute("src"), { headers, signal, cache: "no-store" });
    // Signed out meanwhile: let the server say so, with its page for signing in.
    if (response.redirected || response.status === 401) return location.reload();
    if (response.status !== 304) {
      if (!response.ok) throw new Error(`the list's address answered ${response.status}`);
      const html = await response.text();
      await morph(this.querySelector("[data-live-list-rows]"), html);
      this.#etag = response.headers.get("ETag") ?? "";
    }
    this.removeAttribute("stale");
  }

  #showAge() {
    const note = this.querySelector("[data-live-list-note]");
    note.hidden = !this.hasAttribute("stale");
    const seconds = Math.round((Date.now() - this.#updatedAt) / 1000);
    if (!note.hidden) note.textContent = this.#note.replace("{seconds}", seconds);
  }
}

customElements.define("live-list", LiveList);
