import { signedInAs } from "../domain/principal.ts";
import type { User } from "../domain/user.ts";
import { type Claims, expiryOf } from "../jwt/claims.ts";
import { own } from "../jwt/json-object.ts";
import type { TokenReader } from "../jwt/token-reader.ts";
import type { Services } from "../ports/services.ts";
import type { Awaitable } from "../ports/store.ts";
import type { Outcome, Strategy } from "../ports/strategy.ts";
import { rejected } from "./access-token.ts";
import type { HeaderToken } from "./header-token.ts";

/** What {@link issuedElsewhere} works with. */
export interface IssuedElsewhereParts {
  /** Becomes `Principal.via`. */
  readonly name: string;
  readonly token: HeaderToken;
  /** Its content is the user's id. */
  readonly reader: TokenReader<string>;
  /** Whether the application takes the claims; null where it has no say. */
  readonly accepts: ((claims: Claims, user: User) => Awaitable<boolean>) | null;
}

/**
 * Recognises tokens that somebody else has issued for our users. They know of no session: only their expiry and the account's
 * status end them.
 */
export function issuedElsewhere(services: Services, parts: IssuedElsewhereParts): Strategy {
  return {
    name: parts.name,
    ambient: false,
    challenge: "Bearer",
    authenticate(request) {
      const token = parts.token(request);
      if (token === null) return { kind: "absent" };
      const reading = parts.reader.read(token, services.clock.now().getTime());
      if (reading.kind === "foreign") return { kind: "absent" };
      if (reading.kind === "bad") return rejected(reading.why);
      return judge(services, parts, reading.content, reading.claims);
    },
  };
}

async function judge(
  { stores, call }: Services,
  { name, accepts }: IssuedElsewhereParts,
  userId: string,
  claims: Claims,
): Promise<Outcome> {
  const user = await stores.directory.user(userId, call());
  if (user === null) return rejected("no user has the id that it names");
  if (user.status !== "active") return rejected("the account is not active");
  if (accepts !== null && !(await accepts(claims, user)))
    return rejected("the application refused its claims");
  const proof = { via: name, amr: [], authTime: provenAt(claims), sessionId: null, scopes: null };
  return { kind: "accepted", principal: signedInAs(user, proof) };
}

// When the person proved who they are, where the token says so. One that was issued a moment ago says nothing of that: then
// no guard that asks for a fresh proof is to take it for one.
function provenAt(claims: Claims): Date {
  const seconds = own(claims, "auth_time");
  return new Date(
    typeof seconds === "number" && seconds > 0 ? Math.min(seconds, expiryOf(claims) ?? 0) * 1000 : 0,
  );
}
