import type { ErrorCode } from "latchkey";

/** For each code: when it happens, and what to do then. The compiler asks for a row where the table of errors gets one. */
export const explanations: Readonly<Record<ErrorCode, string>> = {
  invalid_input:
    "Every field that cannot be accepted is named under `errors`, with a reason. Mend those and send the request again.",
  malformed_json:
    "The body does not parse, is not UTF-8, or has a key twice. Programs that read it differently must not be able to disagree.",
  malformed_request: "The request ended early or breaks HTTP. Send it again, whole.",
  password_rejected:
    "The password is too short or too long, is among the most common ones, or is a name or address of the person or the site. The reasons stand under `errors`.",
  token_invalid:
    "A link that arrived by mail, or was printed by the server, works once and for a short time. Ask for a fresh one.",
  provider_refused:
    "The provider's answer was not believed, belongs to another browser, was used before, or is more than ten minutes old. The audit log has which, under `oauth.refused`. Start again.",
  not_authenticated:
    "The request carries no proof of who sends it, or an API key that cannot be used. Sign in, or send a session cookie or a key that is whole, has not expired and may be used from where you are.",
  session_expired:
    "The session was idle for too long, reached the end of its life, or was ended elsewhere: by signing out everywhere or by a changed password. Sign in again.",
  token_reused:
    "A refresh token was used a second time. Two had it, and nobody can tell which of them was meant to: the session has ended. Sign in again.",
  invalid_credentials:
    "No account has this email or username with this password. Which of the two is wrong is deliberately not said.",
  forbidden: "Whoever sends the request is known, and may not do this. Signing in again does not help.",
  fresh_auth_required:
    "What was asked for needs a recent proof of identity. Confirm the password (`POST /auth/reauthenticate`) and send the request again.",
  password_change_required:
    "The account's password was set by somebody else. Until its owner has chosen another one (`PUT /users/me/password`) it does nothing but sign out; keys and tokens of it are refused as well.",
  csrf_required:
    "A request that changes something and rides on a session cookie must carry the session's CSRF token, in the header `X-CSRF-Token` or the form field `_token`. `GET /auth/csrf` gives one.",
  csrf_failed:
    "The CSRF token is of another session. That also happens when the session got a new id in another tab: load the page or the token again.",
  origin_rejected:
    "The browser says that the request was sent by a page of another site. Only the configured origin, and trusted ones, may do that.",
  form_token_stale:
    "A form works once, and for an hour. It was sent twice, is too old, or was opened in another browser. The form comes back with a token that works.",
  registration_closed: "Accounts are made by an operator here. Ask one.",
  not_found: "Nothing is at this address, or nothing that you may know of.",
  method_not_allowed: "The header `Allow` names the methods that this address answers to.",
  email_taken: "Somebody has an account with this address. If that is you, sign in.",
  username_taken: "Somebody has this username. Choose another.",
  conflict:
    "Somebody else changed the same thing between your reading and your writing, or the change would leave the system without an administrator. Load it again and look.",
  payload_too_large: "The body is larger than anything that this address takes.",
  unsupported_media_type: "Bodies are `application/json` or `application/x-www-form-urlencoded`, in UTF-8.",
  rate_limited:
    "Too many tries in too short a time. The header `Retry-After` says, in seconds, when the next one counts.",
  provider_unavailable:
    "The provider did not answer in time, answered too much, or sent us elsewhere. Nothing was changed. Try again in a moment, or sign in another way.",
  overloaded:
    "More passwords are waiting to be checked than the server takes on. Nothing was tried, and no attempt was used up. Try again after `Retry-After` seconds.",
  store_unavailable:
    "A database does not answer. Nobody is signed out by that, and nothing is let through. Try again in a moment.",
  internal_error: "A fault of the server. It is in the log, under the id of the request.",
};
