// The words of the page, in the reader's language: they come with the page, in a <template>.

export class Words {
  #said = new WeakMap();

  constructor(template) {
    this.template = template;
  }

  /** Show the words named `word` in `target`, with `{name}` replaced by `values[name]`. */
  say(target, word, values = {}) {
    if (!target) return;
    const key = JSON.stringify([word, values]);
    if (this.#said.get(target) === key) return;
    this.#said.set(target, key);
    const words = this.#find(word, values).cloneNode(true);
    const walker = document.createTreeWalker(words, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) walker.currentNode.data = fill(walker.currentNode.data, values);
    target.replaceChildren(...words.childNodes);
  }

  /** The same as plain text. */
  text(word, values = {}) {
    return fill(this.#find(word, values).textContent, values);
  }

  #find(word, { count }) {
    const find = (name) => this.template.content.querySelector(`[data-word="${name}"]`);
    return (count === 1 && find(`${word}-one`)) || find(word);
  }
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (placeholder, name) =>
    name in values ? values[name].toLocaleString(document.documentElement.lang) : placeholder,
  );
}
