import { emailKey, isEmail, isSameMailbox } from "../../domain/identifier.ts";
import type { LinkedAccount } from "../../domain/linked-account.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Write } from "../../ports/store.ts";
import { assertAdmitted } from "../policies.ts";
import { commitSignIn } from "../sign-in/commit-sign-in.ts";
import { withDevice } from "../sign-in/devices.ts";
import { newLinkedAccount, usedLinkedAccount } from "./account.ts";
import { type Admitted, type Arrival, againOrThrow, linkedRow, sessionOf } from "./admission.ts";
import { reportRefusal } from "./refusals.ts";
import { registerByProvider } from "./register.ts";
import type { OAuthServices, ProvenAccount } from "./services.ts";

/** Two devices that sign in at once each move the link's version; who loses this often is being attacked. */
const mostTries = 5;

/**
 * Signs in whom a provider has proven: the user whose link it is; else a new one, where registration is open.
 *
 * An address alone never decides whose account it is. Somebody who registered with another person's address would else be
 * given that person's sign-ins, or the other way round ("pre-hijacking"): where it is taken the person signs in as before, and
 * links. `linkByEmail` makes an exception where the provider runs the mailbox, both sides have verified the address, and nothing
 * is linked to the account yet.
 *
 * @throws AuthError `email_taken`, `registration_closed`, `provider_refused` - without an address; `forbidden`, `conflict`, `rate_limited`
 * @see Sudhodanan and Paverd, "Pre-hijacked accounts", USENIX Security 2022
 */
export async function admitByProvider(
  services: OAuthServices,
  proven: ProvenAccount,
  arrival: Arrival,
): Promise<Admitted> {
  const { directory } = services.stores;
  const by = { issuer: proven.redeemed.issuer, subject: proven.profile.subject };
  for (let tries = 0; tries < mostTries; tries++) {
    const known = await directory.linkedAccount(by, services.call());
    const admitted =
      known !== null
        ? await signInKnown(services, proven, known, arrival)
        : await admitUnknown(services, proven, arrival);
    if (admitted !== null) return admitted;
  }
  throw new AuthError("conflict", { diagnosis: "link or user kept changing during the sign-in" });
}

async function admitUnknown(
  services: OAuthServices,
  proven: ProvenAccount,
  arrival: Arrival,
): Promise<Admitted | null> {
  const email = proven.profile.email ?? "";
  if (!isEmail(email)) {
    const { label, name } = proven.client.provider;
    reportRefusal(services, { provider: name, from: arrival.from }, "email_missing");
    const message = `${label} gave no email address. Create an account with a password, then link ${label} to it.`;
    throw new AuthError("provider_refused", { message });
  }
  const owner = await ownerByEmail(services, proven, email);
  return owner !== null
    ? linkAndSignIn(services, proven, owner, arrival)
    : registerByProvider(services, proven, email, arrival);
}

/** The user whose verified mailbox it is by the word of who runs it; null where nobody can say. */
async function ownerByEmail(
  { stores, call, linkByEmail }: OAuthServices,
  { client: { provider }, profile, redeemed }: ProvenAccount,
  email: string,
): Promise<User | null> {
  if (!linkByEmail.has(provider.name) || !profile.isEmailVerified) return null;
  if (provider.isAuthoritative?.(email, redeemed.claims) !== true) return null;
  const found = await stores.directory.userWithPassword({ kind: "email", key: emailKey(email) }, call());
  const user = found?.user ?? null;
  if (!user?.emailVerified || !isSameMailbox(user.email, email)) return null;
  // Where an account at a provider is linked already, the address may be verified by that one's word alone: whoever got it to say
  // so would share the account with its owner.
  const linked = await stores.directory.linkedAccounts(user.id, call());
  return linked.length === 0 ? user : null;
}

/** Signs in the user whose link it is. Null where link or user changed in the meantime. */
async function signInKnown(
  services: OAuthServices,
  proven: ProvenAccount,
  { account, user }: { readonly account: LinkedAccount; readonly user: User },
  arrival: Arrival,
): Promise<Admitted | null> {
  const changes = await usedLinkedAccount(services, proven, account);
  // In the transaction: a link that is removed at this moment must not let anybody in any more.
  const used: Write = {
    kind: "linked_account.update",
    accountId: account.id,
    version: account.version,
    changes,
  };
  return startSession(services, proven, { user, arrival, before: [used] });
}

async function linkAndSignIn(
  services: OAuthServices,
  proven: ProvenAccount,
  user: User,
  arrival: Arrival,
): Promise<Admitted | null> {
  const account = await newLinkedAccount(services, proven, user.id);
  const before: Write[] = [
    // Holds the user to what was read: an address that they give up at this moment is theirs no more.
    { kind: "user.update", userId: user.id, version: user.version, changes: { emailVerified: true } },
    { kind: "linked_account.insert", account },
    linkedRow(services, proven, user.id, arrival),
  ];
  return startSession(services, proven, { user, arrival, before });
}

async function startSession(
  services: OAuthServices,
  proven: ProvenAccount,
  {
    user,
    arrival,
    before,
  }: { readonly user: User; readonly arrival: Arrival; readonly before: readonly Write[] },
): Promise<Admitted | null> {
  await assertAdmissible(services, proven, user, arrival);
  const wanted = { ...sessionOf(services, proven, user, arrival), user };
  const result = await commitSignIn(services, wanted, { before });
  if (!result.ok) return againOrThrow(result.refused);
  return { kind: "signed-in", signIn: await withDevice(services, result.signIn, arrival.devices) };
}

async function assertAdmissible(
  services: OAuthServices,
  { client }: ProvenAccount,
  user: User,
  { client: peer, from }: Arrival,
): Promise<void> {
  const refused = { provider: client.provider.name, from, userId: user.id };
  if (user.status !== "active") {
    reportRefusal(services, refused, "account_status");
    throw new AuthError("forbidden", { message: "This account cannot be used." });
  }
  await assertAdmitted(services, { kind: "login", user, client: peer }, () =>
    reportRefusal(services, refused, "policy"),
  );
}
