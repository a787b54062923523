// What the server says for good, over HTTP.

/** Of the wire; a page whose server speaks another one has to be loaded again. */
export const PROTOCOL = 1;

/** There is no point in asking again; `message` names the words to show. */
export class Refused extends Error {}

/** Throws Refused for good, or another error when asking again may help. */
export function expectOk(response) {
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  if (response.status === 401 || response.redirected) throw new Refused("signed-out");
  if (response.status === 403) throw new Refused(isJson ? "not-allowed" : "outdated");
  if (response.status === 404) throw new Refused("gone");
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
}
