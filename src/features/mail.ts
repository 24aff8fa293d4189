import { bindMail, type Mail } from "../api/mail.ts";
import type { MailPurpose } from "../domain/outbox.ts";
import { mailRow } from "../flows/mail/outbox.ts";
import { mailSender } from "../flows/sending/sender.ts";
import type { MailOutcome, MailPaths, MailServices } from "../flows/sending/services.ts";
import type { MailTemplates } from "../mail/facts.ts";
import { type MailLocale, mailLocales } from "../mail/locales.ts";
import { senderProblem } from "../mail/message.ts";
import type { Mailer } from "../ports/mailer.ts";
import type { Services } from "../ports/services.ts";
import type { Feature } from "./feature.ts";

export type { Mail, OpenedVerification, Verified } from "../api/mail.ts";
export type { MailPurpose } from "../domain/outbox.ts";
export type { RequestedCode } from "../flows/account/request-mail.ts";
export type { MailOutcome, MailPaths } from "../flows/sending/services.ts";
export type { MailFacts, MailTemplate, MailTemplates, MailText } from "../mail/facts.ts";
export { acceptedLocale, type MailLocale, mailLocale, mailLocales } from "../mail/locales.ts";
export { escapeHtml, html, type Markup } from "../mail/markup.ts";
export { writeMail } from "../mail/write-mail.ts";
export { type Mailer, type MailMessage, MailRejected } from "../ports/mailer.ts";

/** Settings of {@link mail}. */
export interface MailOptions {
  readonly mailer: Mailer;
  /** `Name <address>`, or an address alone; one that the mail service may send from. */
  readonly from: string;
  /** What the mails call the site. Default: the origin's host. */
  readonly site?: string;
  /** Mails of one's own, by purpose. Default: the usual ones, in English, German, Spanish and Japanese. */
  readonly templates?: MailTemplates;
  /** Language of mails to who has none. Default `en`. */
  readonly locale?: MailLocale;
  /** Pages of one's own behind the links, as paths of the origin. Default `/reset /verify /magic /undo /end-session /invite`. */
  readonly paths?: Partial<MailPaths>;
  /**
   * False where the mailer shows mails to the developer alone: then registration stays `open` by itself. Default true.
   */
  readonly isReal?: boolean;
  /** False where another process empties the outbox. Default true. */
  readonly sends?: boolean;
  /** Mails on their way at a time, 1 to 100. Default 4. */
  readonly concurrency?: number;
  /** How long the mailer may take for one mail, in seconds: 1 to 600. Default 30. */
  readonly timeoutSeconds?: number;
  /** How often a mail is tried before it is given up, 1 to 100. Default 10, over about four hours. */
  readonly attempts?: number;
  /** How often the outbox is looked into for what another process put there, in seconds: 1 to 3,600. Default 15. */
  readonly pollSeconds?: number;
  /** Told what became of each mail, for counters. */
  readonly observe?: (outcome: MailOutcome, purpose: MailPurpose) => void;
}

const usualPaths: MailPaths = {
  reset: "/reset",
  verify: "/verify",
  magic: "/magic",
  undo: "/undo",
  endSession: "/end-session",
  invite: "/invite",
};

/**
 * Mail: forgotten passwords, confirmed addresses, sign-in by link or code, notices. What is to be sent is written into the
 * directory with the change that it belongs to, and sent in the background.
 *
 * @throws TypeError at `createAuth` - settings that cannot be used
 */
export function mail(options: MailOptions): Feature<Mail> {
  const { isReal = true, sends = true } = options;
  return {
    name: "mail",
    sendsMail: isReal ? "for-real" : "for-show",
    install(services, visits) {
      const problems = problemsOf(options);
      if (problems.length > 0) throw new TypeError(`mail: ${problems.join("; ")}`);
      const sender = mailSender(servicesOf(services, options));
      const api = bindMail(services, sender, visits);
      return {
        api,
        mails: {
          row: (draft) => mailRow(services, draft),
          wake: () => sends && sender.wake(),
        },
        routes: async (endpoints) => (await import("../endpoints/mail.ts")).mailRoutes(api, endpoints),
        // What another process left, or this one before it ended, waits for nobody's request.
        warmUp: async () => void (sends && sender.wake()),
        close: () => sender.close(),
      };
    },
  };
}

function servicesOf(services: Services, options: MailOptions): MailServices {
  const { site, templates = {}, locale = "en", paths, observe = () => undefined } = options;
  const { concurrency = 4, timeoutSeconds = 30, attempts = 10, pollSeconds = 15 } = options;
  return {
    ...services,
    mailer: options.mailer,
    from: options.from,
    site: site ?? new URL(services.config.origin).hostname,
    templates,
    locale,
    paths: { ...usualPaths, ...paths },
    sending: { concurrency, timeoutSeconds, attempts, pollSeconds },
    observe,
  };
}

function problemsOf(options: MailOptions): string[] {
  const { from, site, locale, paths = {} } = options;
  const sender = senderProblem(from);
  const isOdd = (path: string): boolean => !/^\/[A-Za-z0-9._~/-]*$/.test(path);
  const ranges = [
    ["concurrency", options.concurrency, 100],
    ["timeoutSeconds", options.timeoutSeconds, 600],
    ["attempts", options.attempts, 100],
    ["pollSeconds", options.pollSeconds, 3_600],
  ] as const;
  return [
    ...(sender === null ? [] : [`from: ${sender}`]),
    ...(site === undefined || (site.trim() !== "" && !/\p{Cc}/u.test(site)) ? [] : ["site: one line"]),
    ...(locale === undefined || mailLocales.includes(locale)
      ? []
      : [`locale: one of ${mailLocales.join(", ")}`]),
    ...Object.entries(paths).flatMap(([name, path]) =>
      isOdd(path) ? [`paths.${name}: a path such as /reset`] : [],
    ),
    ...ranges.flatMap(([name, value, most]) =>
      value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)
        ? []
        : [`${name}: a whole number from 1 to ${most}`],
    ),
  ];
}
