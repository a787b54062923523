// htmx as this site uses it: for swaps and morphs, never for running code found in markup.
import htmx from "../vendor/htmx/htmx.esm.min.js";

class NoEval {
  constructor(...code) {
    throw new EvalError(`refused to run ${JSON.stringify(code.at(-1))}: use a listener in a module`);
  }
}

htmx.registerExtension("no-eval", {
  init: (internals) => internals.initSecurity(null, NoEval, NoEval),
});

/** Make the children of `target` equal to `html`, keeping focus, scroll and unchanged nodes. */
export function morph(target, html) {
  return htmx.swap({ text: html, target, sourceElement: target, swap: "innerMorph ignoreTitle:true" });
}
