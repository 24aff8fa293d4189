import type { OutboxMail } from "../../domain/outbox.ts";
import type { MailTemplates } from "../../mail/facts.ts";
import type { MailLocale } from "../../mail/locales.ts";
import type { Mailer } from "../../ports/mailer.ts";
import type { Services } from "../../ports/services.ts";

/** Where mailed links lead, as paths of the origin. */
export interface MailPaths {
  readonly reset: string;
  readonly verify: string;
  readonly magic: string;
  readonly undo: string;
  readonly endSession: string;
  readonly invite: string;
}

/** What became of a mail: sent; not this time; never will be. */
export type MailOutcome = "sent" | "failed" | "given-up";

/** What the flows about mail work with. */
export interface MailServices extends Services {
  readonly mailer: Mailer;
  readonly from: string;
  readonly site: string;
  readonly paths: MailPaths;
  readonly templates: MailTemplates;
  /** Language of mails to who has none. */
  readonly locale: MailLocale;
  readonly sending: {
    /** Mails on their way at a time. */
    readonly concurrency: number;
    /** How long the mailer may take for one. */
    readonly timeoutSeconds: number;
    readonly attempts: number;
    readonly pollSeconds: number;
  };
  readonly observe: (outcome: MailOutcome, purpose: OutboxMail["purpose"]) => void;
}
