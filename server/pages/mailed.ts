import { AuthError } from "latchkey";
import { errorSummary } from "./fields.ts";
import { html } from "./html.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

/**
 * What to do with a link that carries a token: the token goes into a cookie and out of the address, so that it stays in
 * no history, log or Referer. Nothing is spent by it, since programs that scan mail open links too.
 *
 * @returns null where the request is no such link
 */
export function fromLink(
  { auth, query }: PageCall,
  path: string,
  whenUseless: () => DocumentReply,
): PageReply | null {
  const token = query.get("token");
  if (token === null) return null;
  const change = auth.forms.mailed(token);
  return change === null ? whenUseless() : seeOther(path, change);
}

/** The page for a link that opens nothing (any more). */
export function uselessLink(title: string, whatToDo: string): DocumentReply {
  const error = new AuthError("token_invalid");
  const main = html`<div class="card">
<h1>${title}</h1>
${errorSummary({ values: {}, errors: [], message: "This link is unknown, used or expired." }, [])}
<p>${whatToDo}</p>
<p class="aside"><a href="/">To the start page</a></p>
</div>`;
  return { kind: "document", title, main, error, change: { mailed: "clear" } };
}
