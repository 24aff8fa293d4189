/** A mail as it is handed to a {@link Mailer}. No line break is in anything but the two bodies. */
export interface MailMessage {
  /** `Name <address>`, or an address alone. */
  readonly from: string;
  /** One address. */
  readonly to: string;
  readonly subject: string;
  /** The plain text; it says all that `html` says. */
  readonly text: string;
  /** A whole document, without anything that is fetched. */
  readonly html: string;
  /** Further headers by name: `Message-ID`, `Auto-Submitted`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends mail. Whoever has an account with a mail service writes one in a few lines; `latchkey-server` has one for SMTP. */
export interface Mailer {
  /**
   * Resolves once somebody else has taken the mail over for good, and rejects where that is not known. It may be called again
   * with a mail that was taken over after all: its `Message-ID` is the same then.
   *
   * @param signal - aborted when nobody waits any more; what is under way is to end
   * @throws MailRejected - trying again makes no sense; anything else is tried again later
   */
  send(message: MailMessage, signal: AbortSignal): Promise<void>;
}

/** A mail that will never be taken: the address does not exist, the message is refused. */
export class MailRejected extends Error {
  override readonly name = "MailRejected";
}
