import type { OutboxMail } from "../../domain/outbox.ts";
import { uuidv7 } from "../../domain/random.ts";
import type { User } from "../../domain/user.ts";
import type { Mails, Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";

/** What a mail is to be, before it is in the outbox. */
export type MailDraft = Parameters<Mails["row"]>[0];

/** The write that puts a mail into the outbox: due at once. */
export function mailRow({ clock, random }: Pick<Services, "clock" | "random">, draft: MailDraft): Write {
  const now = clock.now();
  const mail: OutboxMail = {
    id: uuidv7(now, (length) => random.bytes(length)),
    purpose: draft.purpose,
    userId: draft.userId,
    locale: draft.locale,
    detail: draft.detail ?? null,
    attempts: 0,
    nextAttemptAt: now,
    createdAt: now,
  };
  return { kind: "mail.insert", mail };
}

/** A mail to a user where there is a feature that sends it, for the transaction of what it tells; nothing elsewhere. */
export function mailTo(
  { mails }: Pick<Services, "mails">,
  user: Pick<User, "id" | "locale">,
  purpose: OutboxMail["purpose"],
  detail?: object,
): Write[] {
  const sender = mails();
  if (sender === null) return [];
  const text = detail === undefined ? {} : { detail: JSON.stringify(detail) };
  return [sender.row({ purpose, userId: user.id, locale: user.locale, ...text })];
}
