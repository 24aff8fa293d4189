import type { MailPurpose } from "../domain/outbox.ts";
import type { MailLocale } from "./locales.ts";

/** What a mail has to say, before anybody has put it into words. */
export interface MailFacts {
  /** `reset` also where a link for signing in was asked for, and nobody ever showed that the mailbox is theirs. */
  readonly purpose: MailPurpose;
  readonly locale: MailLocale;
  /** Name of the site: as configured, or its host. */
  readonly site: string;
  /** Address of the site. */
  readonly origin: string;
  /** Whom it goes to. */
  readonly to: string;
  /** Where the mail's button leads; null where it has none. */
  readonly link: string | null;
  /** The code to type, 8 digits; null where there is none. */
  readonly code: string | null;
  /** How long link or code works, in seconds; null where neither is there. */
  readonly ttlSeconds: number | null;
  /** The new address, of a change of address; null elsewhere. */
  readonly newAddress: string | null;
  /** What happened where, of a notice about a sign-in; null elsewhere. */
  readonly signIn: {
    readonly at: Date;
    readonly ip: string | null;
    /** `Firefox, Linux`, in known names alone; null where it is not known. */
    readonly device: string | null;
  } | null;
}

/** A mail in words. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
  /** A whole HTML document; texts that came from people are escaped. */
  readonly html: string;
}

/** Puts a mail into words. */
export type MailTemplate = (facts: MailFacts) => MailText;

/** Templates of an application's own, by purpose; the usual one is used where there is none. */
export type MailTemplates = Partial<Readonly<Record<MailPurpose, MailTemplate>>>;
