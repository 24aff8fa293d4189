import { type EventOrigin, noOrigin } from "../../domain/event.ts";
import { emailKey } from "../../domain/identifier.ts";
import { oneTimeTokenTtlSeconds } from "../../domain/one-time-token.ts";
import { randomBase62 } from "../../domain/random.ts";
import { wholly } from "../../domain/rights.ts";
import type { Session } from "../../domain/session.ts";
import type { Permission, Role, User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { ClientInfo } from "../../ports/request.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { readLocale } from "../account/language-tag.ts";
import { emailErrors, nameErrors, type Registered, register } from "../account/register.ts";
import { type Acting, doing, holderOf, stillActing } from "../acting.ts";
import { issueOneTimeToken, readOneTimeToken, takeOneTimeToken } from "../one-time-tokens.ts";
import { assertCommitted, refusalError } from "../refusals.ts";
import { assertGivable, assertMayGive } from "./change-rights.ts";
import { audit } from "./life-cycle.ts";

/** Whom somebody invites, and what their account begins with. */
export interface NewInvitation {
  readonly email: string;
  readonly name?: string | null;
  /** BCP 47 language tag, of the mail and of the account. Default null. */
  readonly locale?: string | null;
  /** At most what the one who invites holds, now and when the invitation is used. Default none. */
  readonly roles?: readonly Role[];
  readonly permissions?: readonly Permission[];
  /** Name of a tier, of who may put people into one (`user:write`), now and when the invitation is used. Default null. */
  readonly tier?: string | null;
}

/** An invitation, as it lies in the store of what may be lost: without a secret. */
export interface Invitation extends Required<NewInvitation> {
  /** 22 characters. */
  readonly id: string;
  /** Null for an operator. */
  readonly inviterId: string | null;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/** An invitation that was just made. */
export interface Invited {
  readonly invitation: Invitation;
  /** For the link, where no feature sends mail: answered here, this once. Null where it is mailed. */
  readonly token: string | null;
}

/** What somebody registers with who was invited: the address is the invitation's. */
export interface InvitedRegistration {
  readonly token: string;
  readonly username?: string | null;
  readonly password: string;
  /** Default: as the invitation says. */
  readonly name?: string | null;
}

/**
 * Invites somebody to register, in every mode of registration, within 7 days. The link is mailed; where no feature sends mail,
 * the token for it is answered.
 *
 * @throws AuthError `invalid_input` with every failing field; `email_taken`; `forbidden` - gives what they do not hold, or a tier
 * without `user:write`
 */
export async function invite(services: Services, wanted: NewInvitation, acting: Acting): Promise<Invited> {
  const { stores, clock, random, call } = services;
  const invitation = drafted(wanted);
  const fields = [...emailErrors(invitation.email), ...nameErrors(invitation.name)];
  if (fields.length > 0) throw new AuthError("invalid_input", { fields });
  await assertGivable(services, invitation);
  assertMayGiveAll(services, acting, invitation);
  const by = { kind: "email", key: emailKey(invitation.email) } as const;
  if ((await stores.directory.userWithPassword(by, call())) !== null) throw refusalError("email_taken");
  const key = keyOf(invitation.id);
  await stores.ephemeral.put(key, JSON.stringify(invitation), oneTimeTokenTtlSeconds.invitation, call());
  const mails = services.mails();
  const detail = JSON.stringify({ invitationId: invitation.id });
  const payload = { invitationId: invitation.id };
  const userId = acting.administrator?.id ?? null;
  const writes: Write[] = [
    ...stillActing(acting),
    audit(services, acting, { type: "user.invited", userId, payload }),
  ];
  if (mails !== null)
    writes.push(mails.row({ purpose: "invitation", userId: null, locale: invitation.locale, detail }));
  const result = await services.commit(writes);
  if (!result.ok) await stores.ephemeral.remove([key], call());
  assertCommitted(result);
  const token = mails === null ? await tokenOf(services, invitation, { wasMailed: false }) : null;
  return { invitation, token };

  function drafted({ email, name, locale, roles, permissions, tier }: NewInvitation): Invitation {
    const ttlMs = oneTimeTokenTtlSeconds.invitation * 1000;
    return {
      id: randomBase62(22, (length) => random.bytes(length)),
      email: email.trim().normalize("NFC"),
      name: name?.trim() || null,
      locale: readLocale(locale ?? null),
      roles: [...new Set(roles ?? [])],
      permissions: [...new Set(permissions ?? [])],
      tier: tier ?? null,
      inviterId: acting.administrator?.id ?? null,
      expiresAt: new Date(clock.now().getTime() + ttlMs).toISOString(),
    };
  }
}

/**
 * Takes an invitation back: its link opens nothing any more. Of any number of concurrent calls one succeeds.
 *
 * @throws AuthError `not_found` - none of this id, or used, or expired; `conflict` - the administrator was barred in the meantime
 */
export async function withdrawInvitation(
  services: Services,
  invitationId: string,
  acting: Acting,
): Promise<void> {
  const { stores, clock, call } = services;
  const key = keyOf(invitationId);
  // First, so that whatever fails from here on leaves a link that opens nothing.
  const taken = isId(invitationId) ? await stores.ephemeral.take(key, call()) : null;
  if (taken === null) throw new AuthError("not_found");
  const { inviterId: userId, expiresAt } = JSON.parse(taken) as Invitation;
  const payload = { ...doing(acting), invitationId };
  const result = await services.commit([
    ...stillActing(acting),
    audit(services, acting, { type: "user.invitation_withdrawn", userId, payload }),
  ]);
  const restSeconds = Math.ceil((Date.parse(expiresAt) - clock.now().getTime()) / 1000);
  if (!result.ok && restSeconds > 0) await stores.ephemeral.put(key, taken, restSeconds, call());
  assertCommitted(result);
}

/**
 * What the mail of an invitation needs, for who sends it: a fresh token, with which the link of an earlier try works no more. Null where
 * there is no such invitation any more.
 */
export async function mintInvitation(
  services: Services,
  invitationId: string,
): Promise<(Pick<Invitation, "email" | "name" | "locale"> & { readonly token: string }) | null> {
  const invitation = await readInvitation(services, invitationId);
  if (invitation === null) return null;
  const { email, name, locale } = invitation;
  return { email, name, locale, token: await tokenOf(services, invitation, { wasMailed: true }) };
}

/** What an invitation's link is about; spends nothing. @throws AuthError `token_invalid` */
export async function openInvitation(services: Services, token: string): Promise<Invitation> {
  return (await opened(services, token)).invitation;
}

/**
 * Registers somebody who was invited, and signs them in where registering does. Of any number of concurrent calls one succeeds.
 *
 * The address is known to be theirs where the link was mailed to it. The invitation goes last: what is refused for a reason that
 * the person can mend must not use it up.
 *
 * @throws AuthError `token_invalid` - unknown, used, withdrawn, expired, or made by somebody who might not make it now; whatever
 * {@link register} refuses
 */
export async function redeemInvitation(
  services: PasswordServices,
  { token, ...typed }: InvitedRegistration,
  context: {
    readonly client: ClientInfo;
    readonly from: EventOrigin;
    readonly replaces: Session | null;
    readonly isRemembered?: boolean;
  },
): Promise<Registered> {
  const { stores, config, call } = services;
  const { invitation, wasMailed } = await opened(services, token);
  const { id, email, name, locale, roles, permissions, tier } = invitation;
  const registered = await register(
    services,
    { email, username: typed.username ?? null, password: typed.password, name: typed.name ?? name },
    {
      ...context,
      isInvited: true,
      given: { locale, roles, permissions, tier, emailVerified: wasMailed },
      requires: tier === null ? [] : [{ kind: "tier.require", name: tier }],
      startsSession: config.signInAfterRegistration,
    },
  );
  // The address is taken now, so the link could do nothing more.
  await stores.ephemeral.remove([keyOf(id)], call()).catch(() => undefined);
  await takeOneTimeToken(services, "invitation", token).catch(() => undefined);
  return registered;
}

async function opened(
  services: Services,
  token: string,
): Promise<{ readonly invitation: Invitation; readonly wasMailed: boolean }> {
  const { detail } = await readOneTimeToken(services, "invitation", token);
  const { id, wasMailed } = JSON.parse(detail ?? "{}") as { id: string; wasMailed: boolean };
  const invitation = await readInvitation(services, id);
  if (invitation === null || !(await mayStillInvite(services, invitation)))
    throw new AuthError("token_invalid");
  return { invitation, wasMailed };
}

// Whoever was barred, or lost a right, gives it to nobody any more.
async function mayStillInvite(services: Services, invitation: Invitation): Promise<boolean> {
  const { inviterId } = invitation;
  if (inviterId === null) return true;
  const { stores, rights, call } = services;
  const inviter: User | null = await stores.directory.user(inviterId, { ...call(), readsThrough: true });
  if (inviter === null || !rights.holds(wholly(inviter), "invitation:write" as Permission)) return false;
  try {
    const acting = { by: "administrator", administrator: inviter, sessionId: null, from: noOrigin } as const;
    assertMayGiveAll(services, acting, invitation);
    return true;
  } catch {
    return false;
  }
}

// A tier is held by nobody for others: who may put people into one gives it.
function assertMayGiveAll(services: Services, acting: Acting, invitation: Invitation): void {
  assertMayGive(services, acting, { ...invitation, isSuperuser: false });
  const holder = holderOf(acting);
  if (invitation.tier === null || holder === null) return;
  if (services.rights.holds(holder, "user:write" as Permission)) return;
  throw new AuthError("forbidden", { message: "You cannot put anybody into a tier." });
}

async function readInvitation({ stores, call }: Services, id: string): Promise<Invitation | null> {
  const stored = isId(id) ? await stores.ephemeral.read(keyOf(id), call()) : null;
  return stored === null ? null : (JSON.parse(stored) as Invitation);
}

// By the invitation's own id: the link of a second try takes the place of the first one's.
function tokenOf(
  services: Services,
  { id }: Invitation,
  { wasMailed }: { readonly wasMailed: boolean },
): Promise<string> {
  const detail = JSON.stringify({ id, wasMailed });
  return issueOneTimeToken(services, "invitation", { id, userId: null, generation: 0, detail });
}

function keyOf(id: string): string {
  return `invitation:${id}`;
}

function isId(id: string): boolean {
  return /^[A-Za-z0-9]{22}$/.test(id);
}
