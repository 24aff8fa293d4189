import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import PostalMime from "postal-mime";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { smtpMailer } from "../../server/mail/smtp.ts";
import type { SmtpAddress } from "../../server/settings/mail-kinds.ts";
import { type MailMessage, MailRejected } from "../../src/ports/mailer.ts";

/** What a real mail server was handed. */
interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly user: string | null;
  readonly secure: boolean;
}

async function mailServer(
  options: SMTPServerOptions = {},
): Promise<{ address: SmtpAddress; received: Received[] }> {
  const received: Received[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString("utf8"),
          user: session.user ?? null,
          secure: session.secure,
        });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return { address: addressOf(server.server as Server), received };
}

function addressOf(server: Server, account: Partial<SmtpAddress> = {}): SmtpAddress {
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("not listening");
  return { host: "127.0.0.1", port: bound.port, username: null, password: null, isTls: false, ...account };
}

/** A server that speaks as it is told: what it answers to each line. */
async function odd(greet: (socket: Socket) => void): Promise<{ address: SmtpAddress; open: Set<Socket> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => undefined);
    greet(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return { address: addressOf(server), open };
}

/** A server that answers everything well but one: its greeting, or the commands that begin with a word; `.` is the end of the mail. */
async function refusing(at: string, reply: string): Promise<SmtpAddress> {
  const { address } = await odd((socket) => {
    let isMail = false;
    socket.write(at === "greeting" ? `${reply}\r\n` : "220 hello\r\n");
    createInterface(socket).on("line", (line) => {
      if (isMail && line !== ".") return;
      if (line.startsWith(at)) return void socket.write(`${reply}\r\n`);
      isMail = line === "DATA";
      socket.write(
        isMail
          ? "354 go on\r\n"
          : line.startsWith("EHLO")
            ? "250-fine\r\n250 AUTH PLAIN\r\n"
            : "250 fine\r\n",
      );
    });
  });
  return address;
}

const message: MailMessage = {
  from: "Grüße <no-reply@app.example>",
  to: "ana@example.com",
  subject: "新しいパスワード — choose “one”",
  text: "Öffnen:\nhttps://app.example/reset?token=abc=def.ghi\n.\n..dots\nFrom here\n",
  html: '<!doctype html><p>Öffnen: <a href="https://app.example/reset?token=abc=def.ghi">日本語</a></p>',
  headers: { "Message-ID": "<0190@app.example>", "Auto-Submitted": "auto-generated" },
};
const never = new AbortController().signal;

describe("a mail through a real mail server", () => {
  test("arrives as it was written, in both its forms", async () => {
    const { address, received } = await mailServer();
    await smtpMailer(address).send(message, never);
    expect(received).toMatchObject([{ from: "no-reply@app.example", to: ["ana@example.com"], user: null }]);
    const mail = await PostalMime.parse(received[0]?.raw ?? "");
    expect(mail.from).toMatchObject({ name: "Grüße", address: "no-reply@app.example" });
    expect(mail.to).toMatchObject([{ address: "ana@example.com" }]);
    expect(mail.subject).toBe(message.subject);
    expect(mail.text?.replaceAll("\r\n", "\n").trimEnd()).toBe(message.text.trimEnd());
    expect(mail.html?.trim()).toBe(message.html);
    expect(mail.messageId).toBe("<0190@app.example>");
    const headers = Object.fromEntries(mail.headers.map(({ key, value }) => [key, value]));
    expect(headers["auto-submitted"]).toBe("auto-generated");
    expect(received[0]?.raw).not.toMatch(/^bcc:/im);
  });

  test("goes to an address outside ASCII where the server takes it", async () => {
    const { address, received } = await mailServer();
    await smtpMailer(address).send({ ...message, to: "añá@example.com" }, never);
    expect(received).toHaveLength(1);
  });

  test("has one recipient, whatever an address looks like", async () => {
    const { address, received } = await mailServer();
    const hostile = [
      "a@example.com,b@example.com",
      "a@example.com\r\nBcc: b@example.com",
      "<a@example.com> b@example.com",
    ];
    for (const to of hostile)
      await smtpMailer(address)
        .send({ ...message, to }, never)
        .catch(() => undefined);
    for (const { to, raw } of received) {
      expect(raw).not.toMatch(/^bcc:/im);
      expect(to).toHaveLength(1);
      expect(to).not.toContain("a@example.com");
      expect(to).not.toContain("b@example.com");
    }
  });

  test.each([
    ["no-reply@app.example", ""],
    ["Acme <no-reply@app.example>", "Acme"],
    ["<no-reply@app.example>", ""],
    ["Acme, Inc. <no-reply@app.example>", "Acme, Inc."],
    ["Acme: Accounts; <no-reply@app.example>", "Acme: Accounts;"],
    ["Acme (EU) <no-reply@app.example>", "Acme (EU)"],
    ['"Acme, Inc." <no-reply@app.example>', "Acme, Inc."],
    ['"The \\"Best\\" \\\\ Acme" <no-reply@app.example>', 'The "Best" \\ Acme'],
    ['"Acme" and "Co" <no-reply@app.example>', '"Acme" and "Co"'],
    ['Acme "Best <no-reply@app.example>', 'Acme "Best'],
    ["Acme \\ <no-reply@app.example>", "Acme \\"],
    ["sales@acme.example <no-reply@app.example>", "sales@acme.example"],
  ])("from %j has that name and that address", async (from, name) => {
    const { address, received } = await mailServer();
    await smtpMailer(address).send({ ...message, from }, never);
    expect(received[0]?.from).toBe("no-reply@app.example");
    expect(received[0]?.to).toEqual(["ana@example.com"]);
    const mail = await PostalMime.parse(received[0]?.raw ?? "");
    expect(mail.from).toEqual({ name, address: "no-reply@app.example" });
  });

  test("signs in where there is a password, and is not sent where that is wrong", async () => {
    const { address, received } = await mailServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        username === "mailer" && password === "p@ss w:rd/"
          ? done(null, { user: username })
          : done(new Error("535 who are you, ana@example.com?")),
    });
    const account = { username: "mailer", password: "p@ss w:rd/" };
    await smtpMailer({ ...address, ...account }).send(message, never);
    expect(received[0]?.user).toBe("mailer");
    const wrong = smtpMailer({ ...address, ...account, password: "wrong" }).send(message, never);
    const error = await wrong.catch((thrown: unknown) => thrown);
    // Whoever runs the server can mend it: it is tried again.
    expect(error).not.toBeInstanceOf(MailRejected);
    expect(String(error)).toContain("EAUTH");
    expect(String(error)).not.toContain("ana@example.com");
  });

  test("gives its password to no server in the clear, but on this machine", async () => {
    const { address, received } = await mailServer({ authOptional: true, allowInsecureAuth: true });
    // The name of another machine; its address is this one.
    const account = { username: "mailer", password: "secret", host: "127.0.0.1.nip.invalid" };
    await expect(smtpMailer({ ...address, ...account }).send(message, never)).rejects.toThrow("smtp:");
    expect(received).toEqual([]);
  });
});

describe("a mail server", () => {
  test.each([
    ["550 5.1.1 <ana@example.com>: no such user", true],
    ["452 4.2.2 <ana@example.com>: mailbox full", false],
  ])("that refuses with %j is told from one that cannot just now", async (words, isForGood) => {
    const { address } = await mailServer({
      onRcptTo: (_address, _session, done) =>
        done(Object.assign(new Error(words.slice(4)), { responseCode: Number(words.slice(0, 3)) })),
    });
    const error = await smtpMailer(address)
      .send(message, never)
      .catch((thrown: unknown) => thrown);
    expect(error instanceof MailRejected).toBe(isForGood);
    expect(String(error)).toContain(words.slice(0, 3));
    expect(JSON.stringify([String(error), error])).not.toContain("ana@example.com");
  });

  test.each([
    ["RCPT", "550 5.1.1 no such user"],
    ["RCPT", "553 mailbox name not allowed"],
    ["DATA", "554 no valid recipients"],
    [".", "554 5.6.0 this message is refused"],
  ])("that refuses a mail itself, at %s with %j, is not asked again", async (at, reply) => {
    await expect(smtpMailer(await refusing(at, reply)).send(message, never)).rejects.toThrow(MailRejected);
  });

  test.each([
    ["greeting", "554 5.7.1 your host is blocked"],
    ["greeting", "554 no service here"],
    ["AUTH", "535 5.7.8 who are you"],
    ["MAIL", "530 5.7.0 must issue a STARTTLS command first"],
    ["MAIL", "550 not allowed to send as this sender"],
    ["MAIL", "552 message too large"],
    ["RCPT", "530 authentication required"],
    ["RCPT", "554 5.7.1 relay access denied"],
    ["DATA", "530 5.7.0 authentication required"],
    [".", "550-5.7.26 this mail is not authenticated\r\n550 5.7.26 see our pages"],
    [".", "452 4.3.1 no room"],
  ])(
    "that refuses who sends, at %s with %j, is asked again: that can be mended in time",
    async (at, reply) => {
      const account = at === "AUTH" ? { username: "mailer", password: "secret" } : {};
      const address = { ...(await refusing(at, reply)), ...account };
      const error = await smtpMailer(address)
        .send(message, never)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ message: expect.stringContaining(reply.slice(0, 3)) });
      expect(error).not.toBeInstanceOf(MailRejected);
    },
  );

  test("that is not there fails at once", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = addressOf(server);
    server.close();
    await once(server, "close");
    await expect(smtpMailer(address).send(message, never)).rejects.toThrow(
      /ECONNECTION|ECONNREFUSED|ESOCKET/,
    );
  });

  const hanging: readonly (readonly [string, (socket: Socket) => void])[] = [
    ["says nothing at all", () => undefined],
    ["greets and then says nothing", (socket) => void socket.write("220 hello\r\n")],
    [
      "drips its greeting for ever",
      (socket) => {
        socket.write("220-");
        const timer = setInterval(() => socket.write("220-still here\r\n"), 20);
        socket.on("close", () => clearInterval(timer));
      },
    ],
    [
      "reads half of the mail and then nothing",
      (socket) => {
        socket.write("220 hello\r\n");
        socket.on("data", (chunk) => {
          const line = chunk.toString();
          if (/^(EHLO|HELO|MAIL|RCPT)/.test(line)) socket.write("250 fine\r\n");
          if (line.startsWith("DATA")) {
            socket.write("354 go on\r\n");
            socket.removeAllListeners("data");
            socket.pause();
          }
        });
      },
    ],
    [
      "takes the mail and never says so",
      (socket) => {
        socket.write("220 hello\r\n");
        socket.on("data", (chunk) => {
          const line = chunk.toString();
          if (/^(EHLO|HELO|MAIL|RCPT)/.test(line)) socket.write("250 fine\r\n");
          if (line.startsWith("DATA")) socket.write("354 go on\r\n");
        });
      },
    ],
  ];

  test.each(hanging)(
    "that %s is given up when nobody waits any more, and the connection closed",
    async (_, speak) => {
      const { address, open } = await odd(speak);
      const ending = new AbortController();
      const sending = smtpMailer(address).send(message, ending.signal);
      const timer = setTimeout(() => ending.abort(), 150);
      await expect(sending).rejects.toThrow("smtp:");
      clearTimeout(timer);
      // Only who reads hears that the other side has hung up.
      for (const socket of open) socket.resume();
      const giveUpAt = performance.now() + 2_000;
      while (open.size > 0 && performance.now() < giveUpAt)
        await new Promise((resolve) => setTimeout(resolve, 10));
      expect(open.size).toBe(0);
    },
  );

  test("that hangs up in the middle is tried again later", async () => {
    const { address } = await odd((socket) => {
      socket.write("220 hello\r\n");
      socket.once("data", () => socket.destroy());
    });
    const error = await smtpMailer(address)
      .send(message, never)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(MailRejected);
  });
});
