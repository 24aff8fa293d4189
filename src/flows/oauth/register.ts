import { AuthError } from "../../errors.ts";
import type { Write } from "../../ports/store.ts";
import { nameErrors, newUser } from "../account/register.ts";
import { mailTo } from "../mail/outbox.ts";
import { withDevice } from "../sign-in/devices.ts";
import { carry, draftSession, sessionWrites } from "../sign-in/start-session.ts";
import { newLinkedAccount } from "./account.ts";
import { type Admitted, type Arrival, againOrThrow, linkedRow, sessionOf } from "./admission.ts";
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
  const { config, events, policies } = services;
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
  for (const policy of policies) {
    const veto = await policy({ kind: "register", user, client: arrival.client });
    if (veto !== null) throw new AuthError("forbidden", { message: veto });
  }
  const registered = {
    type: "user.registered" as const,
    userId: user.id,
    sessionId: null,
    payload: { by: "self" as const, isSuperuser: false },
  };
  const writes: Write[] = [
    { kind: "user.insert", user },
    { kind: "linked_account.insert", account: await newLinkedAccount(services, proven, user.id) },
    { kind: "audit.insert", row: events.row(registered, arrival.from) },
    linkedRow(services, proven, user.id, arrival),
    ...(emailVerified ? [] : mailTo(services, user, "verify")),
  ];
  if (!config.signInAfterRegistration) {
    const result = await services.commit(writes);
    return result.ok ? { kind: "registered", user } : againOrThrow(result.refused);
  }
  const wanted = sessionOf(services, proven, user, arrival);
  const draft = draftSession(services, wanted);
  const result = await services.commit([...writes, ...sessionWrites(services, draft, wanted)]);
  if (!result.ok) return againOrThrow(result.refused);
  const signIn = { user, session: draft.session, change: carry(services, draft) };
  return { kind: "signed-in", signIn: await withDevice(services, signIn, arrival.devices) };
}

// Where a mailed link completes a registration, the provider's word stands in for it, or nothing does.
function assertMailbox(mode: "open" | "confirm", { profile, client }: ProvenAccount): void {
  if (mode === "open" || profile.isEmailVerified) return;
  const { label } = client.provider;
  const message = `${label} has not confirmed your email address. Create an account with a password, then link ${label} to it.`;
  throw new AuthError("provider_refused", { message });
}
