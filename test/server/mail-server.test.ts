import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/child-server.ts";
import { serveHere } from "./support/here-server.ts";

const password = "seven green kettles";
const email = "ana@example.com";

/** A mail server that refuses until it is told not to. */
async function mailServer() {
  const raw: string[] = [];
  const mood = { refuses: false };
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    onMailFrom: (_address, _session, done) =>
      done(mood.refuses ? Object.assign(new Error("not now"), { responseCode: 451 }) : null),
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        raw.push(Buffer.concat(chunks).toString("utf8"));
        done();
      });
    },
  });
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = (server.server as Server).address() as AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, raw, mood };
}

test("with SMTP_URL the server registers by a mailed link, through a real mail server", async () => {
  const { url, raw } = await mailServer();
  const server = await serveHere({ SMTP_URL: url, MAIL_FROM: "Example <no-reply@app.example>" });
  onTestFinished(() => server.remove());
  const ana = server.browser();
  const begun = await ana.post("/api/v1/auth/register", { email, password });
  expect([begun.status, begun.body]).toEqual([202, {}]);
  await eventually(() => raw.length === 1);
  const mail = await PostalMime.parse(raw[0] ?? "");
  expect(mail.from).toMatchObject({ name: "Example", address: "no-reply@app.example" });
  const token = /token=([\w.-]+)/.exec(mail.text ?? "")?.[1];
  expect(mail.html).toContain(`${server.origin}/verify?token=${token}`);
  const done = await ana.post("/api/v1/auth/email/verify", { token });
  expect([done.status, done.body.user?.email_verified]).toEqual([201, true]);
  const shown = await ana.get("/dev/mail", { headers: { Accept: "text/html" } });
  expect(shown.status).toBe(404);
  expect(server.stderr()).not.toContain(token);
  expect(server.stderr()).not.toContain(email);
});

test("a mail that the mail server does not take just now is told to the operator by its code", async () => {
  const { url, raw, mood } = await mailServer();
  mood.refuses = true;
  const settings = { SMTP_URL: url, MAIL_FROM: "no-reply@app.example" };
  const server = await serveHere(settings);
  onTestFinished(() => server.remove());
  await server.browser().post("/api/v1/auth/register", { email, password });
  await server.logged("a mail was not sent, and will be tried again");
  expect(raw).toEqual([]);
  expect(server.stderr()).toMatch(/smtp [^"]*451/);
});

test("on loopback without SMTP_URL mails are shown at /dev/mail, and registration is open", async () => {
  const server = await serveHere();
  onTestFinished(() => server.remove());
  const ana = server.browser();
  expect((await ana.post("/api/v1/auth/register", { email, password })).status).toBe(201);
  const html = { Accept: "text/html" };
  await eventually(async () => (await ana.get("/dev/mail/1", { headers: html })).status === 200);
  const shown = await ana.get("/dev/mail/1", { headers: html });
  expect(shown.text).toContain(`${server.origin}/verify?token=`);
});
