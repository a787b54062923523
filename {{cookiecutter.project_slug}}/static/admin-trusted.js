// For the admin's own libraries, which make HTML of text everywhere: what could run is refused.
(() => {
  if (!globalThis.trustedTypes) return;
  const RUNS = "script, iframe, frame, object, embed, base, meta, link, svg, math";
  const isAddress = /^(href|src|action|formaction)$/i;
  const isCode = /^\s*(javascript|data|vbscript):/i;
  const raw = trustedTypes.createPolicy("liveops", { createHTML: (html) => html });

  const runs = (element) =>
    element.matches(RUNS) ||
    [...element.attributes].some(
      ({ name, value }) => name.startsWith("on") || (isAddress.test(name) && isCode.test(value)),
    );

  // No way to make a script or the address of one: text can become neither.
  trustedTypes.createPolicy("default", {
    createHTML(html) {
      const template = document.createElement("template");
      template.innerHTML = raw.createHTML(html);
      return [...template.content.querySelectorAll("*")].some(runs) ? null : html;
    },
  });
})();
