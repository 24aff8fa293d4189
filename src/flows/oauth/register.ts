import { AuthError } from "../../errors.ts";
import { commitAccount } from "../account/commit-account.ts";
import { nameErrors, newUser } from "../account/register.ts";
import { mailTo } from "../mail/outbox.ts";
import { assertAdmitted } from "../policies.ts";
import { newLinkedAccount } from "./account.ts";
import { type Admitted, type Arrival, againOrThrow, linkedRow, sessionOf } from "./admission.ts";
import { reportRefusal } from "./refusals.ts";
import type { OAuthServices, ProvenAccount } from "./services.ts";

/**
 * Makes an account of what the provider says, in one transaction with its link, its session and their audit rows.
 *
 * @returns null where somebody linked the same account in the meantime
 * @throws AuthError `registration_closed`, `rate_limited`, `forbidden` by a policy, `email_taken`
 */
export async function registerByProvider(
  services: OAuthServices,
  proven: ProvenAccount,
  email: string,
  arrival: Arrival,
): Promise<Admitted | null> {
  const { config } = services;
  const mode = config.registration;
  if (mode === "closed" || mode === "invite") throw new AuthError("registration_closed");
  assertMailbox(mode, proven);
  await arrival.takeRegistrationAttempt();
  const { name, isEmailVerified: emailVerified } = proven.profile;
  const user = newUser(
    services,
    { email, name: nameErrors(name).length === 0 ? name : null },
    { emailVerified },
  );
  const { name: provider } = proven.client.provider;
  await assertAdmitted(services, { kind: "register", user, client: arrival.client }, () =>
    reportRefusal(services, { provider, from: arrival.from }, "policy"),
  );
  const committed = await commitAccount(services, {
    user,
    wayIn: { kind: "linked_account.insert", account: await newLinkedAccount(services, proven, user.id) },
    by: "self",
    from: arrival.from,
    also: () => [
      linkedRow(services, proven, user.id, arrival),
      ...(emailVerified ? [] : mailTo(services, user, "verify")),
    ],
    session: config.signInAfterRegistration ? sessionOf(services, proven, user, arrival) : null,
  });
  if (!committed.ok) return againOrThrow(committed.refused);
  const { signIn } = committed;
  return signIn === null ? { kind: "registered", user } : { kind: "signed-in", signIn };
}

// Where a mailed link completes a registration, the provider's word stands in for it, or nothing does.
function assertMailbox(mode: "open" | "confirm", { profile, client }: ProvenAccount): void {
  if (mode === "open" || profile.isEmailVerified) return;
  const { label } = client.provider;
  const message = `${label} has not confirmed your email address. Create an account with a password, then link ${label} to it.`;
  throw new AuthError("provider_refused", { message });
}
