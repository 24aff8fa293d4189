import type { EventOrigin } from "../domain/event.ts";
import { noOrigin } from "../domain/event.ts";
import type { Principal } from "../domain/principal.ts";
import type { ApiKeyFlows, CreatedApiKey, NewApiKey, RotateApiKey } from "../flows/api-keys/api-keys.ts";
import type { ApiKeyInfo, UsagePage, UsageQuery } from "../flows/api-keys/reads.ts";
import { eventOrigin, withRequestId } from "../http/event-origin.ts";
import type { Random } from "../ports/clock.ts";
import type { Visit } from "../ports/visit.ts";

/**
 * The API keys of a principal. Every call is for somebody who is signed in with the whole of their rights: a key, which is
 * restricted, neither makes keys nor changes any.
 *
 * Every call @throws AuthError `not_authenticated`; `forbidden` where the proof is restricted; `not_found` for a key that
 * is not theirs.
 */
export interface ApiKeys {
  /**
   * Makes a key. Its text is answered here and nowhere else.
   *
   * @param visit - the request on whose behalf, here and below: the audit log says where it came from. Default: nobody's
   * @throws AuthError `invalid_input` with every failing field (wire names); `conflict` - the owner has
   * a hundred that have not expired
   */
  create(principal: Principal, wanted: NewApiKey, visit?: Visit): Promise<CreatedApiKey>;
  /** Newest first, expired ones too. */
  list(principal: Principal): Promise<readonly ApiKeyInfo[]>;
  get(principal: Principal, keyId: string): Promise<ApiKeyInfo>;
  /** Changes what is given; the rest stays. @throws AuthError `invalid_input`, `conflict` - changed by somebody else */
  update(
    principal: Principal,
    keyId: string,
    changes: Partial<NewApiKey>,
    visit?: Visit,
  ): Promise<ApiKeyInfo>;
  /** Ends a key at once; what it was used for is deleted with it. */
  revoke(principal: Principal, keyId: string, visit?: Visit): Promise<void>;
  /**
   * Puts a new key, alike but for its secret, in the place of one that goes on for the overlap. Of any number of
   * concurrent calls one succeeds.
   *
   * @throws AuthError `invalid_input`; `conflict` - it expired, or was rotated before
   */
  rotate(principal: Principal, keyId: string, how?: RotateApiKey, visit?: Visit): Promise<CreatedApiKey>;
  /** What a key was used for, oldest hour first. Uses of the last seconds are not on record yet. */
  usage(principal: Principal, keyId: string, query?: UsageQuery): Promise<UsagePage>;
}

/** The flows, bound to the requests that they are for. */
export function bindApiKeys(flows: ApiKeyFlows, random: Random): ApiKeys {
  const originOf = (visit: Visit | undefined): EventOrigin =>
    visit === undefined ? noOrigin : eventOrigin(visit.request, withRequestId(visit.client, random));
  return {
    create: (principal, wanted, visit) => flows.create(principal, wanted, originOf(visit)),
    list: (principal) => flows.list(principal),
    get: (principal, keyId) => flows.get(principal, keyId),
    update: (principal, keyId, changes, visit) => flows.update(principal, keyId, changes, originOf(visit)),
    revoke: (principal, keyId, visit) => flows.revoke(principal, keyId, originOf(visit)),
    rotate: (principal, keyId, how = {}, visit) => flows.rotate(principal, keyId, how, originOf(visit)),
    usage: (principal, keyId, query = {}) => flows.usage(principal, keyId, query),
  };
}
