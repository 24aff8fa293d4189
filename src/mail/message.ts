import type { OutboxMail } from "../domain/outbox.ts";
import type { MailMessage } from "../ports/mailer.ts";
import type { MailFacts, MailText } from "./facts.ts";

const longestSubject = 400;

/**
 * A mail as it goes to the mailer. Its `Message-ID` is made of the outbox row's id: whoever gets it twice can tell, and so can
 * programs that show mail.
 *
 * @throws TypeError where a template put a line break into the subject, or nothing anywhere
 * @see RFC 3834, section 5, for `Auto-Submitted`
 */
export function messageOf(
  mail: Pick<OutboxMail, "id">,
  { to, origin }: Pick<MailFacts, "to" | "origin">,
  { subject, text, html }: MailText,
  from: string,
): MailMessage {
  for (const line of [from, to, subject]) {
    // A line break would end the header, and begin one of somebody else's choice.
    if (/[\p{Cc}\u2028\u2029]/u.test(line) || line.trim() === "")
      throw new TypeError("a mail's sender, recipient and subject are one line each, and not empty");
  }
  if (text.trim() === "" || html.trim() === "") throw new TypeError("a mail has text and html");
  return {
    from,
    to,
    subject: subject.slice(0, longestSubject),
    text,
    html,
    headers: {
      "Message-ID": `<${mail.id}@${new URL(origin).hostname}>`,
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
    },
  };
}

/** What cannot be sent from, or null: `Name <address>` or an address, on one line. */
export function senderProblem(from: string): string | null {
  const address = /^[^<>]*<([^<>]+)>$/.exec(from)?.[1] ?? from;
  const isAddress = /^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/.test(address);
  return isAddress && !/\p{Cc}/u.test(from) ? null : "write `Name <address@domain>` or an address alone";
}
