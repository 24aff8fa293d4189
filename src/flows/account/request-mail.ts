import type { EventOrigin } from "../../domain/event.ts";
import { emailKey } from "../../domain/identifier.ts";
import { oneTimeTokenTtlSeconds } from "../../domain/one-time-token.ts";
import type { MailPurpose } from "../../domain/outbox.ts";
import { randomBase62 } from "../../domain/random.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import { takeMail } from "../mail/limits.ts";
import { mailRow } from "../mail/outbox.ts";
import { emailErrors } from "./register.ts";

/** Who asks for a mail. */
export interface MailRequest {
  /** As typed; the mail goes to the address that the account has, and never here. */
  readonly email: string;
  readonly limitIp: string;
  readonly from: EventOrigin;
}

/**
 * Asks for a link to choose a password by. Like its neighbours here it does the same work, and says the same, whether the address
 * is somebody's or nobody's: the row of a mail to nobody is put into the outbox as well, and dropped by the sender.
 *
 * @throws AuthError `invalid_input` - no address; `rate_limited`
 * @see OWASP Forgot Password Cheat Sheet
 */
export async function requestReset(services: Services, request: MailRequest): Promise<void> {
  await requestMail(services, request, { purpose: "reset" });
}

/** Asks for a link to sign in by. @throws as {@link requestReset} */
export async function requestMagicLink(services: Services, request: MailRequest): Promise<void> {
  await requestMail(services, request, { purpose: "magic_link" });
}

/** A code that is on its way. */
export interface RequestedCode {
  /** Belongs to the browser that asked, and goes along with the code: nobody else's tries use this one's up. */
  readonly id: string;
  /** 600. */
  readonly expiresInSeconds: number;
}

/** Asks for a code to sign in by. @throws as {@link requestReset} */
export async function requestEmailCode(services: Services, request: MailRequest): Promise<RequestedCode> {
  const id = randomBase62(22, (length) => services.random.bytes(length));
  await requestMail(services, request, { purpose: "email_code", detail: { codeId: id } });
  return { id, expiresInSeconds: oneTimeTokenTtlSeconds.email_code };
}

type Asked = Extract<MailPurpose, "reset" | "magic_link" | "email_code">;

async function requestMail(
  services: Services,
  { email, limitIp, from }: MailRequest,
  { purpose, detail }: { readonly purpose: Asked; readonly detail?: object },
): Promise<void> {
  const address = email.trim();
  const fields = emailErrors(address);
  if (fields.length > 0) throw new AuthError("invalid_input", { fields });
  const key = emailKey(address);
  await takeMail(services, { purpose, to: key, limitIp }, from);
  const { directory } = services.stores;
  const found = await directory.userWithPassword({ kind: "email", key }, services.call());
  const user = found?.user ?? null;
  const isReachable = user?.status === "active";
  await services.commit([
    mailRow(services, {
      purpose,
      userId: isReachable ? user.id : null,
      locale: user?.locale ?? null,
      ...(detail !== undefined && { detail: JSON.stringify(detail) }),
    }),
    { kind: "audit.insert", row: requestedRow(services, purpose, user, from) },
  ]);
}

function requestedRow({ events }: Services, purpose: Asked, user: User | null, from: EventOrigin) {
  const about = { userId: user?.id ?? null, sessionId: null };
  switch (purpose) {
    case "reset":
      return events.row({ type: "password.reset_requested", ...about, payload: { by: "self" } }, from);
    case "magic_link":
      return events.row({ type: "magic_link.requested", ...about, payload: {} }, from);
    case "email_code":
      return events.row({ type: "email_code.requested", ...about, payload: {} }, from);
  }
}

/**
 * Asks for a link that confirms the caller's own address. Nothing is sent where it is confirmed.
 *
 * @throws AuthError `rate_limited`
 */
export async function requestVerification(
  services: Services,
  user: User,
  { limitIp, from }: Omit<MailRequest, "email">,
): Promise<void> {
  if (user.emailVerified) return;
  await takeMail(services, { purpose: "verify", to: user.emailKey, limitIp }, from);
  const { id: userId, locale } = user;
  await services.commit([mailRow(services, { purpose: "verify", userId, locale })]);
}
