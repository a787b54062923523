// The log on the page: appends lines, keeps the newest, follows its end until one scrolls up.
import { trusted } from "./trusted.js";

const KEEP = 2000;
const AT_ONCE = 500; // lines; more would hold the page up
const AT_END = 8; // pixels that still count as "at the end"

const lineNumber = (item) => Number(item?.dataset.line ?? 0);

/** The same lines, but only those after number `last`. */
function without(html, last) {
  const template = document.createElement("template");
  template.innerHTML = trusted(html);
  for (const item of [...template.content.children]) {
    if (lineNumber(item) <= last) item.remove();
  }
  return template.innerHTML;
}

export class LogView {
  #pending = [];
  #pendingLines = 0;
  #clearFirst = false;
  #following = true;
  #unseen = 0;

  /** `onChange({earlier, unseen, following})` is called after each change of the list or of the view. */
  constructor(list, onChange) {
    this.list = list;
    this.onChange = onChange;
    this.last = lineNumber(list.lastElementChild);
    this.onScroll = () => this.#scrolled();
    list.addEventListener("scroll", this.onScroll, { passive: true });
    this.jumpToEnd();
  }

  release() {
    this.list.removeEventListener("scroll", this.onScroll);
  }

  /** Take `{first, last, html}`; shown at the next `flush()`. */
  add({ first, last, html }) {
    if (first > this.last + 1) this.clear();
    if (last <= this.last) return;
    const lines = last - Math.max(first - 1, this.last);
    this.#pending.push({ lines, html: first > this.last ? html : without(html, this.last) });
    this.#pendingLines += lines;
    this.last = last;
    while (this.#pendingLines - this.#pending[0].lines >= KEEP) this.#dropOldest();
  }

  /** Make the log what a snapshot says; lines that are shown already stay where they are. */
  replace(log) {
    if (!log || log.last < this.last) this.clear();
    if (log) this.add(log);
  }

  clear() {
    this.#pending = [];
    this.#pendingLines = 0;
    this.#clearFirst = true;
    this.last = 0;
  }

  /** Show what was added, or its beginning; true when there is more to show. */
  flush() {
    if (!this.#clearFirst && !this.#pending.length) return false;
    if (this.#clearFirst) this.list.replaceChildren();
    this.#clearFirst = false;
    const before = this.list.childElementCount;
    this.list.insertAdjacentHTML("beforeend", trusted(this.#take()));
    const added = this.list.childElementCount - before;
    this.#trim();
    if (this.#following) this.list.scrollTop = this.list.scrollHeight;
    else this.#unseen += added;
    this.#tell();
    return this.#pending.length > 0;
  }

  jumpToEnd() {
    this.#following = true;
    this.#unseen = 0;
    this.list.scrollTop = this.list.scrollHeight;
    this.#tell();
  }

  #take() {
    let html = "";
    let lines = 0;
    while (this.#pending.length && lines < AT_ONCE) {
      const batch = this.#pending.shift();
      html += batch.html;
      lines += batch.lines;
    }
    this.#pendingLines -= lines;
    return html;
  }

  #dropOldest() {
    // In a page that is not being drawn: these lines would be trimmed before anyone saw them.
    this.#pendingLines -= this.#pending.shift().lines;
    this.#clearFirst = true;
  }

  #trim() {
    const excess = this.list.childElementCount - KEEP;
    if (excess <= 0) return;
    const range = document.createRange();
    range.setStart(this.list, 0);
    range.setEndBefore(this.list.children[excess]);
    range.deleteContents();
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.list;
    this.#following = scrollTop + clientHeight >= scrollHeight - AT_END;
    if (this.#following) this.#unseen = 0;
    this.#tell();
  }

  #tell() {
    const first = lineNumber(this.list.firstElementChild);
    this.onChange({
      earlier: Math.max(0, first - 1),
      unseen: this.#unseen,
      following: this.#following,
    });
  }
}
