/**
 * Every refusal of Latchkey: a stable `code`, the status it has on the wire and the public sentence that goes with it.
 * Programs decide on `code`; nobody reads a message to decide.
 */
const table = {
  invalid_input: [400, "The request has fields that cannot be accepted."],
  malformed_json: [400, "The body is not valid JSON."],
  malformed_request: [400, "The request cannot be read."],
  password_rejected: [400, "The password cannot be used."],
  token_invalid: [400, "The link or token is unknown, used or expired."],
  provider_refused: [400, "Signing in with the provider did not work. Please start again."],
  not_authenticated: [401, "Sign in to continue."],
  session_expired: [401, "The session has ended. Sign in again."],
  token_reused: [401, "The refresh token was used before. Sign in again."],
  invalid_credentials: [401, "Invalid email or password"],
  forbidden: [403, "You may not do this."],
  fresh_auth_required: [403, "Confirm your password to continue."],
  password_change_required: [403, "Choose a new password to continue."],
  csrf_required: [403, "The request carries no CSRF token."],
  csrf_failed: [403, "The CSRF token does not belong to this session."],
  origin_rejected: [403, "The request comes from another origin."],
  form_token_stale: [403, "Invalid form token. Please refresh and try again."],
  registration_closed: [403, "Registration is closed."],
  not_found: [404, "There is nothing here."],
  method_not_allowed: [405, "This address does not answer to that method."],
  email_taken: [409, "Email already registered"],
  username_taken: [409, "Username already taken"],
  conflict: [409, "Somebody else changed this in the meantime. Load it again."],
  payload_too_large: [413, "The body is too large."],
  unsupported_media_type: [415, "Send JSON or a form."],
  rate_limited: [429, "Too many requests. Please try again later."],
  provider_unavailable: [502, "The provider does not answer as it should. Please try again in a moment."],
  overloaded: [503, "The server is busy. Please try again in a moment."],
  store_unavailable: [503, "The service is temporarily unavailable."],
  internal_error: [500, "Something went wrong."],
} as const;

/** The stable name of a refusal; the documentation has a row for each. */
export type ErrorCode = keyof typeof table;

/** What is wrong with one field of the input; `message` is public and may be shown beside the field. */
export interface FieldError {
  /** Wire name of the field (`email`, `current_password`). */
  readonly field: string;
  /** Stable snake_case reason (`required`, `too_short`). */
  readonly code: string;
  readonly message: string;
}

/** What an {@link AuthError} may carry besides its code. */
export interface AuthErrorOptions {
  /** Status in place of the code's own: a token that is a proof is refused with 401, one in a mailed link with 400. */
  readonly status?: 401;
  /** Public sentence in place of the code's own. */
  readonly message?: string;
  /** For the operator's log; never on the wire. Must hold no secret. */
  readonly diagnosis?: string;
  readonly cause?: unknown;
  /** Whole seconds until another try makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Every failing field at once. */
  readonly fields?: readonly FieldError[];
}

/**
 * A refusal. `message` is public (the problem's `detail`); `diagnosis` and `cause` are for the operator.
 *
 * @see RFC 9457 for the form it takes on the wire
 */
export class AuthError extends Error {
  override readonly name = "AuthError";
  readonly code: ErrorCode;
  /** HTTP status, 400 to 599. */
  readonly status: number;
  readonly diagnosis: string | null;
  readonly retryAfterSeconds: number | null;
  readonly fields: readonly FieldError[];

  constructor(code: ErrorCode, options: AuthErrorOptions = {}) {
    const [status, message] = table[code];
    super(options.message ?? message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? status;
    this.diagnosis = options.diagnosis ?? null;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.fields = options.fields ?? [];
  }
}

/** One row of the table of errors, as the documentation and `/problems/{code}` show it. */
export interface ErrorRow {
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
}

/** The whole table, in the order of the statuses. */
export function errorTable(): readonly ErrorRow[] {
  return Object.entries(table).map(([code, [status, message]]) => ({
    code: code as ErrorCode,
    status,
    message,
  }));
}

/** A refusal as it is, anything else as `internal_error` with its cause kept for the log. */
export function asAuthError(thrown: unknown): AuthError {
  return thrown instanceof AuthError ? thrown : new AuthError("internal_error", { cause: thrown });
}
