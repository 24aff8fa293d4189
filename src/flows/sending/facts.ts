import { emailKey } from "../../domain/identifier.ts";
import { type OneTimeTokenPurpose, oneTimeTokenTtlSeconds } from "../../domain/one-time-token.ts";
import type { MailPurpose, OutboxMail } from "../../domain/outbox.ts";
import type { User } from "../../domain/user.ts";
import type { MailFacts } from "../../mail/facts.ts";
import { mailLocale } from "../../mail/locales.ts";
import { readAttempt } from "../account/registration-attempts.ts";
import type { UndoDetail } from "../account/take-back.ts";
import type { EmailChangedDetail } from "../account/verify-email.ts";
import { mintMailedToken, sentTo } from "../mail/mailed-tokens.ts";
import type { NewOneTimeToken } from "../one-time-tokens.ts";
import { mintEmailCode } from "../sign-in/email-codes.ts";
import type { NewDeviceDetail } from "../sign-in/new-device.ts";
import type { MailPaths, MailServices } from "./services.ts";

/**
 * What a mail has to say, with the token or code that was just made for it: one that was made for it before works no more. Null
 * where there is nothing (any more) to be sent: nobody has the address, the account is gone, what it was about has lapsed.
 *
 * Mail goes to the address that the account has, and never to one that somebody typed, but for the two that are about a typed one.
 */
export async function mailFacts(services: MailServices, mail: OutboxMail): Promise<MailFacts | null> {
  switch (mail.purpose) {
    case "registration":
      return aboutRegistration(services, mail);
    case "invitation":
      return aboutInvitation(services, mail);
    default: {
      const { stores, call, clock } = services;
      const found = mail.userId === null ? null : await stores.directory.user(mail.userId, call());
      if (found === null || found.status !== "active") return null;
      const ageMs = clock.now().getTime() - mail.createdAt.getTime();
      return aboutAccount(services, mail, found, ageMs);
    }
  }
}

async function aboutAccount(
  services: MailServices,
  mail: OutboxMail,
  user: User,
  ageMs: number,
): Promise<MailFacts | null> {
  switch (mail.purpose) {
    case "reset":
      return byToken(services, mail, user, "reset");
    case "magic_link":
      // Nobody ever showed that the mailbox is theirs: whoever made the account with this address would share it with its owner.
      // Choosing a password makes it the owner's alone.
      return byToken(services, mail, user, user.emailVerified ? "magic_link" : "reset");
    case "verify":
      return user.emailVerified ? null : byToken(services, mail, user, "verify");
    case "email_code":
      return aboutCode(services, mail, user, ageMs);
    case "email_change":
      return aboutChange(services, mail, user);
    case "email_changed":
      return aboutChanged(services, mail, user);
    case "new_device":
      return aboutSignIn(services, mail, user);
    case "password_changed":
      return factsOf(services, mail, user, { link: linkTo(services, "reset", null) });
    case "registration_taken":
      return taken(services, mail, user);
    default:
      return null;
  }
}

/** Pages behind the links of one-time tokens. */
const pages = { reset: "reset", verify: "verify", magic_link: "magic" } as const;

async function byToken(
  services: MailServices,
  mail: OutboxMail,
  user: User,
  purpose: keyof typeof pages,
): Promise<MailFacts> {
  const about = { ...owner(user), detail: sentTo(services, user) };
  const link = await mintedLink(services, mail, { page: pages[purpose], purpose, about });
  return factsOf(services, { ...mail, purpose }, user, { link, ttlSeconds: oneTimeTokenTtlSeconds[purpose] });
}

async function aboutCode(
  services: MailServices,
  mail: OutboxMail,
  user: User,
  ageMs: number,
): Promise<MailFacts | null> {
  if (!user.emailVerified) return byToken(services, mail, user, "reset");
  const ttlSeconds = oneTimeTokenTtlSeconds.email_code;
  // Whoever waited for it has given up, or has asked again.
  if (ageMs > ttlSeconds * 1000) return null;
  const { codeId } = detailOf<{ readonly codeId: string }>(mail);
  const code = await mintEmailCode(services, codeId, user);
  return factsOf(services, mail, user, { code, ttlSeconds });
}

async function aboutChange(services: MailServices, mail: OutboxMail, user: User): Promise<MailFacts | null> {
  const { to } = detailOf<{ readonly to: string }>(mail);
  const holder = await holderOf(services, to);
  if (holder !== null) return holder.id === user.id ? null : taken(services, mail, holder);
  const about = { ...owner(user), sealed: JSON.stringify({ email: to }) };
  const link = await mintedLink(services, mail, { page: "verify", purpose: "verify", about });
  return { ...factsOf(services, mail, user, { link, ttlSeconds: oneTimeTokenTtlSeconds.verify }), to };
}

async function aboutChanged(services: MailServices, mail: OutboxMail, user: User): Promise<MailFacts> {
  const { to, version } = detailOf<EmailChangedDetail>(mail);
  const undone: UndoDetail = { email: to, version };
  const about = { ...owner(user), sealed: JSON.stringify(undone) };
  const link = await mintedLink(services, mail, { page: "undo", purpose: "undo", about });
  const ttlSeconds = oneTimeTokenTtlSeconds.undo;
  return { ...factsOf(services, mail, user, { link, ttlSeconds }), to, newAddress: user.email };
}

async function aboutSignIn(services: MailServices, mail: OutboxMail, user: User): Promise<MailFacts> {
  const { sessionId, generation, at, ip, device } = detailOf<NewDeviceDetail>(mail);
  const about = { userId: user.id, generation, detail: sessionId };
  const link = await mintedLink(services, mail, { page: "endSession", purpose: "end_session", about });
  const facts = factsOf(services, mail, user, { link, ttlSeconds: oneTimeTokenTtlSeconds.end_session });
  return { ...facts, signIn: { at: new Date(at), ip, device } };
}

async function aboutRegistration(services: MailServices, mail: OutboxMail): Promise<MailFacts | null> {
  const { attemptId } = detailOf<{ readonly attemptId: string }>(mail);
  const attempt = await readAttempt(services, attemptId);
  if (attempt === null) return null;
  const holder = await holderOf(services, attempt.email);
  if (holder !== null) return taken(services, mail, holder);
  const about = { userId: null, generation: 0, detail: attemptId };
  const link = await mintedLink(services, mail, { page: "verify", purpose: "registration", about });
  const user = { email: attempt.email, locale: attempt.locale };
  return factsOf(services, mail, user, { link, ttlSeconds: oneTimeTokenTtlSeconds.registration });
}

async function aboutInvitation(services: MailServices, mail: OutboxMail): Promise<MailFacts | null> {
  const { invitationId } = detailOf<{ readonly invitationId: string }>(mail);
  // Late: who invites nobody need not load it.
  const { mintInvitation } = await import("../administration/invitations.ts");
  const invitation = await mintInvitation(services, invitationId);
  if (invitation === null) return null;
  const link = linkTo(services, "invite", invitation.token);
  return factsOf(services, mail, invitation, { link, ttlSeconds: oneTimeTokenTtlSeconds.invitation });
}

/** To who has the address that somebody else wanted; nothing to one who may not sign in. */
function taken(services: MailServices, mail: OutboxMail, holder: User): MailFacts | null {
  if (holder.status !== "active") return null;
  const link = services.config.origin + services.config.loginPath;
  return factsOf(services, { ...mail, purpose: "registration_taken" }, holder, { link });
}

async function holderOf({ stores, call }: MailServices, email: string): Promise<User | null> {
  const by = { kind: "email", key: emailKey(email) } as const;
  return (await stores.directory.userWithPassword(by, call()))?.user ?? null;
}

function factsOf(
  { config: { origin }, site, locale }: MailServices,
  mail: { readonly purpose: MailPurpose; readonly locale: string | null },
  reader: Pick<User, "email" | "locale">,
  parts: Partial<Pick<MailFacts, "link" | "code" | "ttlSeconds">>,
): MailFacts {
  const nothing = { link: null, code: null, ttlSeconds: null, newAddress: null, signIn: null };
  return {
    purpose: mail.purpose,
    locale: mailLocale(reader.locale ?? mail.locale, locale),
    site,
    origin,
    to: reader.email,
    ...nothing,
    ...parts,
  };
}

async function mintedLink(
  services: MailServices,
  mail: OutboxMail,
  {
    page,
    purpose,
    about,
  }: {
    readonly page: keyof MailPaths;
    readonly purpose: OneTimeTokenPurpose;
    readonly about: Omit<NewOneTimeToken, "id">;
  },
): Promise<string> {
  return linkTo(services, page, await mintMailedToken(services, mail, purpose, about));
}

// From the configured origin: what a request says of its host is its sender's choice.
function linkTo({ config, paths }: MailServices, page: keyof MailPaths, token: string | null): string {
  return config.origin + paths[page] + (token === null ? "" : `?token=${token}`);
}

function owner({ id: userId, generation }: User): { readonly userId: string; readonly generation: number } {
  return { userId, generation };
}

function detailOf<T>({ detail }: OutboxMail): T {
  return JSON.parse(detail ?? "{}") as T;
}
