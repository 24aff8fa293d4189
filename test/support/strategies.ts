import type { SignedIn } from "../../src/domain/principal.ts";
import { signedInAs } from "../../src/domain/principal.ts";
import type { User } from "../../src/domain/user.ts";
import { AuthError } from "../../src/errors.ts";
import type { Outcome, Strategy } from "../../src/ports/strategy.ts";

/** The principal of an explicit proof for `user`. */
export function bearerPrincipal(user: User, now: Date): SignedIn {
  return signedInAs(user, { via: "bearer", amr: [], authTime: now, sessionId: null, scopes: null });
}

/**
 * Claims `Authorization: Test <word>`: `good` is `user`, `bad` is rejected, anything else is absent. With `isAsync` it
 * answers by promise, as a strategy over a database does.
 */
export function bearer(
  user: User,
  options: { readonly isAsync?: boolean; readonly ambient?: boolean } = {},
): Strategy {
  const { isAsync = false, ambient = false } = options;
  const now = new Date("2026-01-01T00:00:00Z");
  const answer = (word: string | undefined): Outcome => {
    if (word === "good") return { kind: "accepted", principal: bearerPrincipal(user, now) };
    if (word === "bad") return { kind: "rejected", error: new AuthError("token_invalid") };
    return { kind: "absent" };
  };
  return {
    name: "bearer",
    ambient,
    challenge: "Test",
    authenticate({ headers }) {
      const outcome = answer(/^Test (\w+)$/.exec(headers.get("Authorization") ?? "")?.[1]);
      return isAsync ? Promise.resolve(outcome) : outcome;
    },
  };
}
