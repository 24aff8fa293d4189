import { AuthError } from "../../errors.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import { issueOneTimeToken, readOneTimeToken, takeOneTimeToken } from "../one-time-tokens.ts";
import { type Registered, type Registration, type RegistrationContext, register } from "./register.ts";

/**
 * A token with which the first administrator can be created, or null where somebody has an account already.
 *
 * Valid for one hour. Whoever holds it becomes superuser: it belongs on the operator's terminal and nowhere else.
 */
export async function issueSetupToken(services: Services): Promise<string | null> {
  if (!(await services.stores.directory.isEmpty(services.call()))) return null;
  return issueOneTimeToken(services, "setup", { userId: null, generation: 0 });
}

/**
 * Creates the first administrator and signs them in.
 *
 * The token is spent last, after everything that can be refused for a reason the person can mend; that the directory is
 * still empty is part of the transaction, so two links never give two administrators.
 *
 * @throws AuthError `token_invalid`, and whatever {@link register} refuses
 */
export async function setUp(
  services: PasswordServices,
  token: string,
  registration: Registration,
  context: Pick<RegistrationContext, "client" | "from" | "replaces">,
): Promise<Registered> {
  await readOneTimeToken(services, "setup", token);
  if (!(await services.stores.directory.isEmpty(services.call()))) throw new AuthError("token_invalid");
  const registered = await register(services, registration, {
    ...context,
    by: "operator",
    isSuperuser: true,
    startsSession: true,
    requires: [{ kind: "directory.require_empty" }],
  });
  // The directory has its user now, so the token could do nothing more; taking it away is tidiness.
  await takeOneTimeToken(services, "setup", token).catch(() => undefined);
  return registered;
}
