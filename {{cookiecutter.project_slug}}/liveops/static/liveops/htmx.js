// htmx as this site uses it: for swaps and morphs, never for running code found in markup.
import htmx from "../vendor/htmx/htmx.esm.min.js";
import { emptyScript, trusted } from "./trusted.js";

class NoEval {
  constructor(...code) {
    throw new EvalError(`refused to run ${JSON.stringify(code.at(-1))}: use a listener in a module`);
  }
}

// A script within a fragment stays, and stays empty.
const makers = { createHTML: trusted, createScript: () => emptyScript };

htmx.registerExtension("no-eval", {
  init: (internals) => internals.initSecurity(makers, NoEval, NoEval),
});

/** Make the children of `target` equal to `html`, keeping focus, scroll and unchanged nodes. */
export function morph(target, html) {
  return htmx.swap({ text: html, target, sourceElement: target, swap: "innerMorph ignoreTitle:true" });
}
