import { type Mailer, MailRejected } from "latchkey/mail";
import type { Transporter } from "nodemailer";
import { isLoopbackHost } from "../settings/address-kinds.ts";
import type { SmtpAddress } from "../settings/mail-kinds.ts";

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
    async send({ headers, ...message }, signal) {
      const { "Message-ID": messageId, ...others } = headers;
      try {
        const open = await transport();
        await open.sendMail({
          ...message,
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
  const { code, responseCode, command } = error as {
    readonly code?: unknown;
    readonly responseCode?: unknown;
    readonly command?: unknown;
  };
  const parts = [code, command, responseCode].filter(
    (part): part is string | number => (typeof part === "string" && part !== "") || typeof part === "number",
  );
  const words = parts.length === 0 ? "failed" : parts.join(" ");
  // 5yz: for good. Of a sign-in that is refused so, the operator's settings are the fault, and they can be mended in time.
  const isForGood = typeof responseCode === "number" && responseCode >= 500 && code !== "EAUTH";
  const failed = isForGood ? new MailRejected(`smtp: ${words}`) : new Error(`smtp: ${words}`);
  return Object.assign(failed, { code: `smtp ${words}` });
}
