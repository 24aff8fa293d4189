import { signedInAs } from "../domain/principal.ts";
import type { User } from "../domain/user.ts";
import type { Claims } from "../jwt/claims.ts";
import { own } from "../jwt/json-object.ts";
import type { Reading, TokenReader } from "../jwt/token-reader.ts";
import type { Services } from "../ports/services.ts";
import type { Awaitable, StoreCall } from "../ports/store.ts";
import type { Outcome, Strategy } from "../ports/strategy.ts";
import { rejected } from "./access-token.ts";
import type { HeaderToken } from "./header-token.ts";

/** What {@link issuedElsewhere} works with. */
export interface IssuedElsewhereParts {
  /** Becomes `Principal.via`. */
  readonly name: string;
  readonly token: HeaderToken;
  /** Whether it arrives without the page's doing: a proxy puts it on every request. */
  readonly isAmbient: boolean;
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
    ambient: parts.isAmbient,
    challenge: "Bearer",
    authenticate(request, _client, stakes) {
      const token = parts.token(request);
      if (token === null) return { kind: "absent" };
      const reading = parts.reader.read(token, services.clock.now().getTime());
      if (reading.kind === "foreign") return { kind: "absent" };
      if (reading.kind === "bad") return rejected(reading.why);
      const call = stakes?.readsThrough ? { ...services.call(), readsThrough: true } : services.call();
      return judge(services, parts, reading, call);
    },
  };
}

async function judge(
  { stores, clock }: Services,
  { name, accepts }: IssuedElsewhereParts,
  { content: userId, claims }: Extract<Reading<string>, { kind: "good" }>,
  call: StoreCall,
): Promise<Outcome> {
  const user = await stores.directory.user(userId, call);
  if (user === null) return rejected("no user has the id that it names");
  if (user.status !== "active") return rejected("the account is not active");
  if (accepts !== null && !(await accepts(claims, user)))
    return rejected("the application refused its claims");
  const proof = {
    via: name,
    amr: [],
    authTime: provenAt(claims, clock.now()),
    sessionId: null,
    scopes: null,
  };
  return { kind: "accepted", principal: signedInAs(user, proof) };
}

// When the person proved who they are, where the token says so. One that was issued a moment ago says nothing of that: then
// no guard that asks for a fresh proof is to take it for one. Nobody was there in the future, by whichever clock.
function provenAt(claims: Claims, now: Date): Date {
  const seconds = own(claims, "auth_time");
  return new Date(typeof seconds === "number" && seconds > 0 ? Math.min(seconds * 1000, now.getTime()) : 0);
}
