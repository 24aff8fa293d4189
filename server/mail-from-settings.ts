import type { Feature } from "latchkey";
import { type Mail, type MailOptions, mail } from "latchkey/mail";
import { type ShownMails, shownMails } from "./mail/shown-mails.ts";
import { smtpMailer } from "./mail/smtp.ts";
import type { Settings } from "./settings/settings.ts";

/** Mail as the settings describe it. */
export interface MailSetup {
  readonly feature: Feature<Mail>;
  /** Where mails are shown instead of sent; null where they are sent. */
  readonly shown: ShownMails | null;
}

/**
 * Mail through SMTP_URL; on loopback without it, shown to the developer. Null where neither can be: no mail then.
 *
 * @param options - `sends`: false for programs beside the server, which empties the outbox
 */
export function mailFromSettings(
  { smtpUrl, mailFrom, defaultLocale: locale, isProduction }: Settings,
  options: Pick<MailOptions, "sends" | "observe"> = {},
): MailSetup | null {
  if (smtpUrl !== null && mailFrom !== null) {
    const feature = mail({ mailer: smtpMailer(smtpUrl), from: mailFrom, locale, ...options });
    return { feature, shown: null };
  }
  if (isProduction) return null;
  const shown = shownMails();
  const from = mailFrom ?? "Latchkey <latchkey@localhost>";
  return { feature: mail({ mailer: shown, from, locale, isReal: false, ...options }), shown };
}
