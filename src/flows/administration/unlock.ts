import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import { type Acting, assertMayChange, doing } from "../acting.ts";
import { forgiveFailures } from "../sign-in/failures.ts";

/**
 * Lets a user sign in by password again where failed sign-ins made everybody wait, or ended it. Fine where nothing did.
 *
 * @returns how many failures in a row were forgotten, where they had begun to wait; else 0
 * @throws AuthError `not_found`; `forbidden` - who acts may not change this account
 */
export async function unlock(services: Services, userId: string, acting: Acting): Promise<number> {
  const user = await services.stores.directory.user(userId, services.call());
  if (user === null) throw new AuthError("not_found");
  assertMayChange(services, acting, user);
  const failures = await forgiveFailures(services, userId);
  const event = {
    type: "user.unlocked" as const,
    userId,
    sessionId: acting.sessionId,
    payload: doing(acting),
  };
  await services.commit([{ kind: "audit.insert", row: services.events.row(event, acting.from) }]);
  return failures;
}
