import type { Mailer, MailMessage } from "../ports/mailer.ts";

/** A mailer that keeps what it is given, for tests. */
export interface MailSink extends Mailer {
  /** What was sent, in order. */
  readonly sent: MailMessage[];
  /** The newest mail to an address. @throws Error where there is none */
  newest(to: string): MailMessage;
  /** The address of the page that the newest mail to somebody links to, with its token. @throws Error where there is none */
  link(to: string): URL;
  /** The token of that link. @throws Error where there is none */
  token(to: string): string;
  /** The code in the newest mail to somebody, digits alone. @throws Error where there is none */
  code(to: string): string;
}

/** Makes one, empty. */
export function mailSink(): MailSink {
  const sent: MailMessage[] = [];
  const sink: MailSink = {
    sent,
    send: async (message) => void sent.push(message),
    newest(to) {
      const found = sent.findLast((message) => message.to === to);
      if (found === undefined) throw new Error(`no mail went to ${to}`);
      return found;
    },
    link(to) {
      const address = /^https?:\/\/\S+$/m.exec(sink.newest(to).text)?.[0];
      if (address === undefined) throw new Error(`the newest mail to ${to} has no link`);
      return new URL(address);
    },
    token(to) {
      const token = sink.link(to).searchParams.get("token");
      if (token === null) throw new Error(`the link to ${to} has no token`);
      return token;
    },
    code(to) {
      const code = /^ {4}([\d ]+)$/m.exec(sink.newest(to).text)?.[1];
      if (code === undefined) throw new Error(`the newest mail to ${to} has no code`);
      return code.replaceAll(" ", "");
    },
  };
  return sink;
}
