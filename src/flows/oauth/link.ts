import type { EventOrigin } from "../../domain/event.ts";
import type { LinkedAccount } from "../../domain/linked-account.ts";
import type { Session } from "../../domain/session.ts";
import { AuthError } from "../../errors.ts";
import type { Write } from "../../ports/store.ts";
import { refusalError } from "../refusals.ts";
import { newLinkedAccount } from "./account.ts";
import type { Attempt } from "./attempt.ts";
import { reportRefusal } from "./refusals.ts";
import type { OAuthServices, ProvenAccount } from "./services.ts";

/** Who links, and in which session. */
export interface LinkContext {
  readonly link: NonNullable<Attempt["link"]>;
  /** The session that the browser carries now. */
  readonly current: Session | null;
  readonly from: EventOrigin;
}

/**
 * Adds a provider's account to the one of who is signed in: still the same person, in the same browser, of the same generation.
 * Linking what is linked already changes nothing.
 *
 * @throws AuthError `session_expired` - signed out, or somebody else, since it was begun; `conflict` - the account is another
 * user's, or another account of this provider is linked
 */
export async function linkAccount(
  services: OAuthServices,
  proven: ProvenAccount,
  { link, current, from }: LinkContext,
): Promise<void> {
  const { stores, call, events } = services;
  const { name, label } = proven.client.provider;
  const { userId, generation } = link;
  const changed = (): AuthError => {
    reportRefusal(services, { provider: name, from, userId }, "session_changed");
    return new AuthError("session_expired");
  };
  if (current?.userId !== userId) throw changed();
  const own = await stores.directory.linkedAccounts(userId, call());
  if (own.some((each) => isAccount(each, proven))) return;
  if (own.some(({ provider }) => provider === name)) {
    throw new AuthError("conflict", { message: `Another ${label} account is linked. Unlink it first.` });
  }
  const account = await newLinkedAccount(services, proven, userId);
  const payload = { provider: name };
  const event = { type: "oauth.linked" as const, userId, sessionId: current.id, payload };
  const result = await services.commit([
    { kind: "user.require", userId, generation },
    { kind: "linked_account.insert", account },
    { kind: "audit.insert", row: events.row(event, from) },
  ]);
  if (result.ok) return;
  if (result.refused === "stale") throw changed();
  if (result.refused !== "conflict") throw refusalError(result.refused);
  const message = `This ${label} account is linked to another account already.`;
  throw new AuthError("conflict", { message });
}

function isAccount({ issuer, subject }: LinkedAccount, { profile, redeemed }: ProvenAccount): boolean {
  return issuer === redeemed.issuer && subject === profile.subject;
}

/**
 * Removes the link to a provider.
 *
 * @throws AuthError `not_found` - none is there; `conflict` - it is the last way to sign in; `session_expired`
 */
export async function unlinkAccount(
  services: OAuthServices,
  provider: string,
  {
    userId,
    current,
    from,
  }: { readonly userId: string; readonly current: Session; readonly from: EventOrigin },
): Promise<void> {
  const { stores, call, events, commit } = services;
  const accounts = (await stores.directory.linkedAccounts(userId, call())).filter(
    (each) => each.provider === provider,
  );
  if (accounts.length === 0) throw new AuthError("not_found", { message: "No such account is linked." });
  const payload = { provider };
  const event = { type: "oauth.unlinked" as const, userId, sessionId: current.id, payload };
  const result = await commit([
    { kind: "user.require", userId, generation: current.generation },
    ...accounts.map(({ id }): Write => ({ kind: "linked_account.delete", accountId: id, userId })),
    { kind: "audit.insert", row: events.row(event, from) },
  ]);
  if (result.ok) return;
  if (result.refused === "stale") throw new AuthError("session_expired");
  throw refusalError(result.refused);
}
