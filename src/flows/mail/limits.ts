import type { EventOrigin } from "../../domain/event.ts";
import type { MailPurpose } from "../../domain/outbox.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import { limitKey, type NamedLimit } from "../attempts.ts";

/** Mails of one kind that one address can be sent in an hour, whoever asks. */
export const mailsPerAddress = 5;
/** Mails that one client can have sent in an hour: an office is behind one address, too. */
export const mailsPerIp = 100;

/**
 * Takes a mail from the limits, before anything is looked up: by what was typed, so that the answer is the same whether it is
 * somebody's address or nobody's.
 *
 * @param to - key of the address
 * @param limitIp - the address that limits count by; null where nobody's request asks
 * @throws AuthError `rate_limited`
 */
export async function takeMail(
  { stores, events, call }: Services,
  {
    purpose,
    to,
    limitIp,
  }: { readonly purpose: MailPurpose; readonly to: string; readonly limitIp: string | null },
  from: EventOrigin,
): Promise<void> {
  const windowSeconds = 3_600;
  const limits: NamedLimit[] = [
    { name: "mail", key: limitKey("mail", purpose, to), limit: mailsPerAddress, windowSeconds },
  ];
  if (limitIp !== null)
    limits.push({ name: "mail_ip", key: limitKey("mail_ip", limitIp), limit: mailsPerIp, windowSeconds });
  const reserved = await stores.ephemeral.reserve(limits, call());
  if (reserved.ok) return;
  const { retryAfterSeconds } = reserved;
  const limit = limits.find(({ key }) => key === reserved.key)?.name ?? "mail";
  const payload = { limit, retryAfterSeconds };
  events.report({ type: "rate_limit.hit", userId: null, sessionId: null, payload }, from);
  throw new AuthError("rate_limited", { retryAfterSeconds });
}
