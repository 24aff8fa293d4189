import { type Mailer, MailRejected } from "latchkey/mail";
import type { Transporter } from "nodemailer";
import { isLoopbackHost } from "../settings/address-kinds.ts";
import type { SmtpAddress } from "../settings/mail-kinds.ts";
import { mailbox } from "./mailbox.ts";

/** How long a mail server may be silent while a connection is opened. */
const openingMs = 10_000;
/** How long it may be silent later. The sender bounds the whole. */
const silenceMs = 20_000;
const closingMs = 1_000;

/**
 * Sends through a mail server, over a connection of its own for each mail: a server that hangs holds up one mail and no other.
 *
 * Name and password, and with them the mails, go over TLS alone, but to this machine.
 *
 * @see RFC 5321; RFC 8314 for TLS
 */
export function smtpMailer({ host, port, username, password, isTls }: SmtpAddress): Mailer {
  const hasAccount = username !== null && password !== null;
  const options = {
    host,
    port,
    secure: isTls,
    requireTLS: hasAccount && !isTls && !isLoopbackHost(host),
    ...(hasAccount && { auth: { user: username, pass: password } }),
    connectionTimeout: openingMs,
    greetingTimeout: openingMs,
    socketTimeout: silenceMs,
    dnsTimeout: openingMs,
    // A server that does not hang up is hung up on.
    socketCloseTimeout: closingMs,
    // What a mail says is ours; nothing of it may make this process open a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  let opened: Promise<Transporter> | null = null;
  // Late: a command that sends no mail, and a start, wait for no library.
  const transport = (): Promise<Transporter> => {
    opened ??= import("nodemailer").then(({ createTransport }) => createTransport(options));
    return opened;
  };
  return {
    async send({ from, to, headers, ...message }, signal) {
      const { "Message-ID": messageId, ...others } = headers;
      try {
        const open = await transport();
        await open.sendMail({
          ...message,
          // Taken apart here: text would be read as a list, and an address with a comma in it be two recipients.
          from: mailbox(from),
          to: { name: "", address: to },
          headers: others,
          ...(messageId !== undefined && { messageId }),
          signal,
          textEncoding: "quoted-printable",
        });
      } catch (error) {
        throw failure(error);
      }
    },
  };
}

/** The error without the words of the mail server, which may hold the address. */
function failure(error: unknown): Error {
  const refusal = error as Refusal;
  const { code, command, responseCode } = refusal;
  const parts = [code, command, responseCode].filter(
    (part): part is string | number => (typeof part === "string" && part !== "") || typeof part === "number",
  );
  const words = parts.length === 0 ? "failed" : parts.join(" ");
  const failed = isOfMail(refusal) ? new MailRejected(`smtp: ${words}`) : new Error(`smtp: ${words}`);
  return Object.assign(failed, { code: `smtp ${words}` });
}

/** What nodemailer knows of a refusal. */
interface Refusal {
  readonly code?: unknown;
  readonly command?: unknown;
  readonly responseCode?: unknown;
  /** The mail server's own words. */
  readonly response?: unknown;
}

/**
 * Whether a mail is refused for good, and not we: of who may connect, sign in, relay or send as whom the settings are the fault, the
 * operator's or the mail server's, and they can be mended in time.
 *
 * @see RFC 4954, section 6, for 530; RFC 3463, section 3.8, for `X.7.X`
 */
function isOfMail({ command, responseCode, response }: Refusal): boolean {
  if (typeof responseCode !== "number" || responseCode < 500 || responseCode === 530) return false;
  const isPolicy = typeof response === "string" && /^\d{3}[ -]5\.7\./.test(response);
  return (command === "RCPT TO" || command === "DATA") && !isPolicy;
}
