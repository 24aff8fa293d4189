import { AuthError } from "../errors.ts";
import type { Committed, Refusal } from "../ports/store.ts";

/** The error for a transaction that was refused, or nothing where it was committed. */
export function assertCommitted(result: Committed): asserts result is Extract<Committed, { ok: true }> {
  if (!result.ok) throw refusalError(result.refused);
}

/** The public error of a refusal. */
export function refusalError(refused: Refusal): AuthError {
  switch (refused) {
    case "email_taken":
      return new AuthError("email_taken", {
        fields: [{ field: "email", code: "taken", message: "Email already registered" }],
      });
    case "username_taken":
      return new AuthError("username_taken", {
        fields: [{ field: "username", code: "taken", message: "Username already taken" }],
      });
    case "last_superuser":
      return new AuthError("conflict", { message: "The last administrator cannot go." });
    case "last_credential":
      return new AuthError("conflict", { message: "The last way to sign in cannot be removed." });
    case "tier_in_use":
      return new AuthError("conflict", { message: "There are users in this tier." });
    case "first_user_exists":
      return new AuthError("token_invalid", { diagnosis: "the directory is not empty any more" });
    case "unsupported":
      return new AuthError("forbidden", {
        message: "This cannot be changed here.",
        diagnosis: "the application's repositories have no way to take this change",
      });
    case "stale":
    case "conflict":
      return new AuthError("conflict", { diagnosis: `transaction refused: ${refused}` });
  }
}
