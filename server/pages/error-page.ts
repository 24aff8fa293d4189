import { AuthError } from "latchkey";
import { waiting } from "./form.ts";
import { type Html, html } from "./html.ts";
import type { DocumentReply } from "./page.ts";

/** Headings for people. A code without one is told by its status. */
const titles: Readonly<Partial<Record<AuthError["code"], string>>> = {
  not_authenticated: "Sign in to go on",
  session_expired: "Your session has ended",
  forbidden: "You may not do this",
  csrf_required: "This form could not be accepted",
  csrf_failed: "This form could not be accepted",
  origin_rejected: "This form came from another site",
  registration_closed: "Registration is closed",
  not_found: "There is nothing here",
  method_not_allowed: "That does not work here",
  payload_too_large: "That was too much",
  unsupported_media_type: "That kind of content is not taken here",
  rate_limited: "Not so fast",
  overloaded: "Busy just now",
  store_unavailable: "Out of order for a moment",
};

/** What somebody can do about a refusal. */
export interface ErrorPageOptions {
  /** Path of the page that was asked for, where it can be opened again. */
  readonly retryPath?: string;
  readonly loginPath?: string;
  /** For whoever asks the operator about it. */
  readonly requestId?: string;
}

/** A refusal as a page. Diagnosis and cause stay inside. */
export function errorDocument(error: AuthError, options: ErrorPageOptions = {}): DocumentReply {
  const title =
    titles[error.code] ?? (error.status >= 500 ? "Something went wrong" : "This could not be done");
  const main = html`<div class="card">
<p class="status">${error.status}</p>
<h1>${title}</h1>
<p class="lead">${error.message}</p>
${error.fields.length > 0 && html`<ul>${error.fields.map((each) => html`<li class="breakable">${each.message}</li>`)}</ul>`}
${whatNext(error, options)}
${options.requestId !== undefined && html`<p class="aside">Reference: <code class="breakable">${options.requestId}</code></p>`}
</div>`;
  return { kind: "document", title, main, error };
}

function whatNext(
  { code, retryAfterSeconds }: AuthError,
  { retryPath, loginPath = "/login" }: ErrorPageOptions,
): Html {
  const retry = retryPath ?? "/";
  switch (code) {
    case "not_authenticated":
    case "session_expired":
      return html`<p><a class="button primary" href="${loginPath}">Sign in</a></p>`;
    case "csrf_required":
    case "csrf_failed":
    case "origin_rejected":
      return html`<p>Nothing was changed. This happens when the page was open for long, or when you signed in again in another tab.</p>
<p><a class="button primary" href="${retry}">Open the page again</a></p>`;
    case "password_change_required":
      return html`<p><a class="button primary" href="/account#password">Choose a new password</a></p>`;
    case "registration_closed":
      return html`<p>An administrator can create an account for you.</p>
<p><a class="button primary" href="${loginPath}">Sign in</a></p>`;
    case "overloaded":
    case "store_unavailable":
    case "rate_limited":
      return html`${retryAfterSeconds !== null && html`<p>${waiting(retryAfterSeconds)}</p>`}
<p><a class="button primary" href="${retry}">Try again</a></p>`;
    default:
      return html`<p><a class="button primary" href="/">To the start page</a></p>`;
  }
}

/** The page that a guard sends people to who may not go where they wanted. */
export function showUnauthorized(): DocumentReply {
  return errorDocument(new AuthError("forbidden", { message: "Your account may not open that page." }));
}
