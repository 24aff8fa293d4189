import { AuthError } from "latchkey";
import type { Mail } from "latchkey/mail";
import { doneNotice, errorSummary } from "./fields.ts";
import { type Html, html } from "./html.ts";
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

/** The page for a link that opens nothing (any more). @param again - where a fresh one can be asked for; null: nowhere here */
export function uselessLink(title: string, whatToDo: string, again: string | null = null): DocumentReply {
  const error = new AuthError("token_invalid");
  const main = html`<div class="card">
<h1>${title}</h1>
${errorSummary({ values: {}, errors: [], message: "This link is unknown, used or expired." }, [])}
<p>${whatToDo}</p>
${again !== null && html`<p><a class="button primary" href="${again}">Ask for a fresh link</a></p>`}
<p class="aside"><a href="/">To the start page</a></p>
</div>`;
  return { kind: "document", title, main, error, change: { mailed: "clear" } };
}

/** What a link to this page opens; null where it opens nothing, for which {@link uselessLink} is the answer. */
export async function opened<T>(open: (token: string) => Promise<T>, token: string): Promise<T | null> {
  try {
    return await open(token);
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return null;
    throw thrown;
  }
}

/** The feature that mails links. @throws AuthError `not_found` where there is none: then the page is not there either */
export function mailOf({ mail }: PageCall): Mail {
  if (mail === null) throw new AuthError("not_found");
  return mail;
}

/** What is said after a mail was asked for, whoever has the address. */
export function onItsWay(title: string, what: string, shown: PageCall["shownMails"]): DocumentReply {
  const main = html`<div class="card">
<h1>${title}</h1>
${doneNotice(`If there is an account with this address, ${what} is on its way to it.`)}
<p>Nothing there after a few minutes? Look among the unwanted mail, and whether the address is the one you registered with.</p>
${shownHint(shown)}
<p class="aside"><a href="/">To the start page</a></p>
</div>`;
  return { kind: "document", title, main };
}

/** For developers, whose mails go nowhere. */
export function shownHint(shown: PageCall["shownMails"]): Html {
  if (shown === null) return html``;
  return html`<p class="aside">No mail server is set up: mails are shown at <a href="/dev/mail">/dev/mail</a>.</p>`;
}
