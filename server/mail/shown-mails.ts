import type { Mailer, MailMessage } from "latchkey/mail";

/** A mail that was shown and not sent. */
export interface ShownMail extends MailMessage {
  /** From 1 on, in order. */
  readonly number: number;
  readonly at: Date;
}

/** A mailer that shows mails to the developer instead of sending them. */
export interface ShownMails extends Mailer {
  /** The newest first. */
  list(): readonly ShownMail[];
  /** Null where there is none, or it was pushed out by newer ones. */
  find(number: number): ShownMail | null;
}

/** Mails that are kept; older ones are dropped. */
const mostMails = 100;

/** Keeps mails in the memory of this process, the newest of them. */
export function shownMails(now: () => Date = () => new Date()): ShownMails {
  const mails: ShownMail[] = [];
  let count = 0;
  return {
    async send(message) {
      mails.unshift({ ...message, number: ++count, at: now() });
      mails.splice(mostMails);
    },
    list: () => [...mails],
    find: (number) => mails.find((mail) => mail.number === number) ?? null,
  };
}
