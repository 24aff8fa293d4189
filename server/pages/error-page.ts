import { AuthError } from "latchkey";
import { told, waiting } from "./form.ts";
import { type Html, html } from "./html.ts";
import { fill } from "./language/fill.ts";
import type { Language } from "./language/language.ts";
import type { Words } from "./language/words-en.ts";
import type { DocumentReply, PageCall } from "./page.ts";

/** What somebody can do about a refusal. */
export interface ErrorPageOptions {
  /** Path of the page that was asked for, where it can be opened again. */
  readonly retryPath?: string;
  readonly loginPath?: string;
  /** For whoever asks the operator about it. */
  readonly requestId?: string;
}

/** A refusal as a page. Diagnosis and cause stay inside. */
export function errorDocument(
  error: AuthError,
  language: Language,
  options: ErrorPageOptions = {},
): DocumentReply {
  const { words } = language;
  const fields = told(error.fields, language);
  const id = html`<code class="breakable">${options.requestId ?? ""}</code>`;
  return {
    kind: "document",
    page: "error",
    title: titleOf(error, words),
    above: html`<p class="status">${error.status}</p>`,
    lead: html`<p class="lead">${language.tell(error.message)}</p>`,
    messages: html`${fields.length > 0 && html`<ul>${fields.map(({ message }) => html`<li class="breakable">${message}</li>`)}</ul>`}`,
    form: whatNext(error, language, options),
    aside: html`${options.requestId !== undefined && html`<p class="aside">${fill(words.error.reference, { id })}</p>`}`,
    error,
  };
}

// A code without a heading of its own is told by its status.
function titleOf({ code, status }: AuthError, { error: words }: Words): string {
  if (code in words) return words[code as keyof typeof words & AuthError["code"]];
  return status >= 500 ? words.system : words.other;
}

function whatNext(
  { code, retryAfterSeconds }: AuthError,
  language: Language,
  { retryPath = "/", loginPath = "/login" }: ErrorPageOptions,
): Html {
  const { error: words, frame } = language.words;
  switch (code) {
    case "not_authenticated":
    case "session_expired":
      return onward(loginPath, words.signIn);
    case "csrf_required":
    case "csrf_failed":
    case "origin_rejected":
      return html`<p>${words.nothingChanged}</p>
${onward(retryPath, words.openAgain)}`;
    case "password_change_required":
      return onward("/account#password", words.choosePassword);
    case "registration_closed":
      return html`<p>${words.administrator}</p>
${onward(loginPath, words.signIn)}`;
    case "overloaded":
    case "store_unavailable":
    case "rate_limited":
      return html`${retryAfterSeconds !== null && html`<p>${waiting(retryAfterSeconds, language)}</p>`}
${onward(retryPath, words.again)}`;
    default:
      return onward("/", frame.start);
  }
}

/** A link that looks like the button that it stands for. */
export function onward(to: string, words: string): Html {
  return html`<p><a class="button primary" href="${to}">${words}</a></p>`;
}

/** The page that a guard sends people to who may not go where they wanted. */
export function showUnauthorized({ language }: PageCall): DocumentReply {
  const message = "Your account may not open that page.";
  return errorDocument(new AuthError("forbidden", { message }), language);
}
