// <submit-once busy="Starting…">: its form is sent once, however often the button is pressed.

class SubmitOnce extends HTMLElement {
  #listeners;

  connectedCallback() {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.addEventListener("submit", (event) => this.#submitted(event), { signal });
    // Coming back with the back button shows the page as it was left: ready again.
    addEventListener("pageshow", ({ persisted }) => persisted && this.ready(), { signal });
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  #submitted(event) {
    if (event.defaultPrevented) return;
    if (this.hasAttribute("sent")) return event.preventDefault();
    this.setAttribute("sent", "");
    const button = event.submitter ?? this.querySelector("[type=submit]");
    button.dataset.label = button.textContent;
    button.textContent = this.getAttribute("busy");
    button.setAttribute("aria-busy", "true");
    // aria-disabled rather than disabled: the button keeps its focus and its form value.
    button.setAttribute("aria-disabled", "true");
  }

  /** Let the form be sent again. */
  ready() {
    this.removeAttribute("sent");
    const button = this.querySelector("[aria-busy]");
    if (!button) return;
    button.textContent = button.dataset.label;
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
  }
}

customElements.define("submit-once", SubmitOnce);
