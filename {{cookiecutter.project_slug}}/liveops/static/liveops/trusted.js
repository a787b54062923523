// The one way from text to HTML on these pages: browsers that know Trusted Types close the others.
const types = globalThis.trustedTypes;

// Nothing here makes a script or the address of one, so no text can become either.
const policy = types?.createPolicy("liveops", { createHTML: (html) => html });

/** `html` as markup; only for what this site's server sent. */
export const trusted = (html) => (policy ? policy.createHTML(html) : html);

export const emptyScript = types?.emptyScript ?? "";
