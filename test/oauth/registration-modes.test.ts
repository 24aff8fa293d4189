import { describe, expect, test } from "vitest";
import { mail } from "../../src/features/mail.ts";
import { mailSink } from "../../src/testing/mail-sink.ts";
import { fickleProvider } from "./fickle-provider.ts";
import { oauthWorld, signIn } from "./steps.ts";

const feature = () => mail({ mailer: mailSink(), from: "no-reply@app.example" });

describe("somebody whom nobody knows, sent by a provider", () => {
  test("gets an account in mode `confirm` where the provider has confirmed the address, and else none", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { registration: "confirm", beside: [feature()] });
    expect((await signIn(at.browser(), provider)).status).toBe(200);
    provider.person = { sub: "2002", email: "eve@example.com", email_verified: false };
    const { status, body } = await signIn(at.browser(), provider);
    expect([status, body.code]).toEqual([400, "provider_refused"]);
    expect(await at.auth.users.findByIdentifier("eve@example.com")).toBeNull();
  });

  test("is told nothing of an address that has an account, where the provider has not confirmed it", async () => {
    const answers = [];
    for (const planted of ["eve@example.com", "other@example.com"]) {
      const provider = await fickleProvider();
      const at = oauthWorld([provider], { registration: "confirm", beside: [feature()] });
      await at.plant({ email: planted, emailKey: planted });
      provider.person = { sub: "2002", email: "eve@example.com", email_verified: false };
      const { status, body } = await signIn(at.browser(), provider);
      answers.push([status, body.code, body.detail]);
    }
    expect(answers[1]).toEqual(answers[0]);
  });

  test("gets none in mode `invite`", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { registration: "invite" });
    const { status, body } = await signIn(at.browser(), provider);
    expect([status, body.code]).toEqual([403, "registration_closed"]);
  });

  test("is mailed a link to confirm an unconfirmed address in mode `open`", async () => {
    const provider = await fickleProvider();
    provider.person = { sub: "2002", email: "eve@example.com", email_verified: false };
    const sink = mailSink();
    const mails = mail({ mailer: sink, from: "no-reply@app.example" });
    const at = oauthWorld([provider], { registration: "open", beside: [mails] });
    await signIn(at.browser(), provider);
    await at.auth.use(mails).flush();
    expect(sink.link("eve@example.com").pathname).toBe("/verify");
  });
});
