import { clientLimits } from "../../domain/client-limits.ts";
import type { EventOrigin } from "../../domain/event.ts";
import type { MailPurpose } from "../../domain/outbox.ts";
import type { Services } from "../../ports/services.ts";
import { keyedLimitKey, type NamedLimit, takeLimit } from "../attempts.ts";

/** Mails of one kind that one address can be sent in an hour, whoever asks. */
export const mailsPerAddress = 5;
/** Mails that one client can have sent in an hour: an office is behind one address, too. Its neighbourhood has twenty times as many. */
export const mailsPerIp = 100;
/** Mails of one kind that everybody together can have sent to strangers in an hour. */
const mailsToStrangers = 10_000 * mailsPerAddress;

/**
 * What goes to whatever address is typed: sent without end, it costs the sender its name. The others go to addresses of accounts alone,
 * and have no limit altogether: whoever filled it would keep everybody from their mail.
 */
const toStrangers: readonly MailPurpose[] = ["registration", "verify", "email_change"];

/**
 * Takes a mail from the limits, before anything is looked up: by what was typed, so that the answer is the same whether it is
 * somebody's address or nobody's.
 *
 * @param to - key of the address
 * @param limitIp - the address that limits count by; null where nobody's request asks
 * @throws AuthError `rate_limited`; nothing was taken from any limit
 */
export async function takeMail(
  services: Services,
  {
    purpose,
    to,
    limitIp,
  }: { readonly purpose: MailPurpose; readonly to: string; readonly limitIp: string | null },
  from: EventOrigin,
): Promise<void> {
  const { keys } = services;
  const windowSeconds = 3_600;
  const ofClient = { name: "mail_ip", limit: mailsPerIp, windowSeconds };
  const keyOf = (name: string, ...parts: readonly string[]) =>
    keyedLimitKey(services, name, purpose, ...parts);
  const ofAll = { name: "mail_global", key: keyOf("mail_global"), limit: mailsToStrangers, windowSeconds };
  const limits: readonly [NamedLimit, ...NamedLimit[]] = [
    { name: "mail", key: keyOf("mail", to), limit: mailsPerAddress, windowSeconds },
    ...(limitIp === null ? [] : clientLimits(ofClient, limitIp, (text) => keys.sign("identifier", text))),
    ...(toStrangers.includes(purpose) ? [ofAll] : []),
  ];
  await takeLimit(services, limits, from);
}
