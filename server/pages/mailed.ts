import { hash } from "node:crypto";
import { AuthError } from "latchkey";
import type { Mail } from "latchkey/mail";
import { onward } from "./error-page.ts";
import { doneNotice, errorSummary } from "./fields.ts";
import { blank } from "./form.ts";
import { type Html, html } from "./html.ts";
import { fill } from "./language/fill.ts";
import { type DocumentReply, type PageCall, type PageName, type PageReply, seeOther } from "./page.ts";

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

/**
 * Name of a page's form for one link. While the page is open, another site can lead the browser to a link of its own, which puts its
 * token into the cookie: a form that named the page alone would then do what it says to another account.
 *
 * @param name - the page's name for the form, at most 15 characters
 * @param mailed - the token of the link that the page was shown for
 */
export function formOfLink(name: string, mailed: string): string {
  return `${name}-${hash("sha256", mailed, "hex").slice(0, 24)}`;
}

/** Which page a link leads to, and what to say of it. */
export interface LinkWords {
  readonly page: PageName;
  readonly title: string;
}

/** The page for a link that opens nothing (any more). @param again - where a fresh one can be asked for; null: nowhere here */
export function uselessLink(
  call: PageCall,
  { page, title }: LinkWords,
  whatToDo: string,
  again: string | null = null,
): DocumentReply {
  const { words } = call.language;
  return {
    kind: "document",
    page,
    title,
    messages: errorSummary(call, { ...blank(), message: words.mailed.unknown }, []),
    form: html`<p>${whatToDo}</p>
${again !== null && onward(again, words.mailed.again)}`,
    aside: toStart(call),
    error: new AuthError("token_invalid"),
    change: { mailed: "clear" },
  };
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
export function onItsWay(call: PageCall, { page, title }: LinkWords, message: string): DocumentReply {
  return {
    kind: "document",
    page,
    title,
    messages: doneNotice(message),
    form: html`<p>${call.language.words.mailed.nothing}</p>`,
    aside: html`${shownHint(call)}
${toStart(call)}`,
  };
}

function toStart({ language: { words } }: PageCall): Html {
  return html`<p class="aside"><a href="/">${words.frame.start}</a></p>`;
}

/** For developers, whose mails go nowhere. */
export function shownHint({
  shownMails,
  language: { words },
}: Pick<PageCall, "shownMails" | "language">): Html {
  if (shownMails === null) return html``;
  const link = html`<a href="/dev/mail">/dev/mail</a>`;
  return html`<p class="aside">${fill(words.frame.noMailServer, { link })}</p>`;
}
