import { describe, expect, test } from "vitest";
import { createAuth } from "../../src/auth.ts";
import { mail } from "../../src/features/mail.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { type Mailer, type MailMessage, MailRejected } from "../../src/ports/mailer.ts";
import { memory } from "../../src/stores/memory.ts";
import { testClock } from "../../src/testing/clock.ts";
import { mailSink } from "../../src/testing/mail-sink.ts";
import { testSecret } from "../../src/testing/test-auth.ts";
import { backends } from "../support/backends.ts";
import { gate } from "../support/gate.ts";
import { inlineThreads } from "../support/inline-threads.ts";
import { mailWorld } from "../support/mail.ts";
import { recorder } from "../support/recorder.ts";
import { testPasswords } from "../support/test-passwords.ts";
import { until } from "../support/until.ts";

const base = "/api/v1/auth";
const email = "ana@example.com";
const next = "another good pass phrase";

/** A mailer that does as it is told, call by call; what it took is in `sent`. */
function moody(
  ...moods: readonly (() => Promise<void>)[]
): Mailer & { readonly sent: MailMessage[]; calls: number } {
  const mailer = {
    sent: [] as MailMessage[],
    calls: 0,
    async send(message: MailMessage, signal: AbortSignal) {
      const mood = moods[Math.min(mailer.calls++, moods.length - 1)];
      await mood?.();
      signal.throwIfAborted();
      mailer.sent.push(message);
    },
  };
  return mailer;
}

const bad = () =>
  Promise.reject(Object.assign(new Error(`550 <${email}>: go away`), { code: "ECONNECTION" }));
const tokenOf = ({ text }: MailMessage): string => /token=(\S+)/.exec(text)?.[1] ?? "";

describe.each(backends)("the sender of mails, on $backend", ({ open }) => {
  test("tries again later and later, with a new token each time, and the former one opens nothing", async () => {
    const taken = async (): Promise<void> => undefined;
    // The first two are taken by the mail server, whose answer is lost.
    const lost: MailMessage[] = [];
    const mailer: Mailer = {
      send: async (message) => {
        lost.push(message);
        if (lost.length < 3) throw new Error("no answer");
        await taken();
      },
    };
    const here = mailWorld({ stores: await open(), mail: { mailer } });
    await here.plant({ email, emailKey: email });
    await here.browser().post(`${base}/password/forgot`, { email });
    await here.delivered();
    expect(lost).toHaveLength(1);
    here.clock.advance(29);
    await here.delivered();
    expect(lost).toHaveLength(1);
    here.clock.advance(1);
    await here.delivered();
    here.clock.advance(59);
    await here.delivered();
    expect(lost).toHaveLength(2);
    here.clock.advance(1);
    await here.delivered();
    expect(lost).toHaveLength(3);
    expect(new Set(lost.map(({ headers }) => headers["Message-ID"])).size).toBe(1);
    expect(new Set(lost.map(tokenOf)).size).toBe(3);
    const answers = [];
    for (const message of [...lost]) {
      const body = { token: tokenOf(message), new_password: next };
      answers.push((await here.browser().post(`${base}/password/reset`, body)).status);
    }
    expect(answers).toEqual([400, 400, 204]);
  });

  test("gives up after so many tries, with a line in the log that names no address", async () => {
    const mailer = moody(bad);
    const outcomes: string[] = [];
    const observe = (outcome: string, purpose: string): void => void outcomes.push(`${outcome} ${purpose}`);
    const here = mailWorld({ stores: await open(), mail: { mailer, attempts: 3, observe } });
    await here.plant({ email, emailKey: email });
    await here.browser().post(`${base}/password/forgot`, { email });
    for (let tries = 0; tries < 6; tries++) {
      await here.delivered();
      here.clock.advance(7_200);
    }
    expect(mailer.calls).toBe(3);
    expect(here.log.map(({ level }) => level)).toEqual(["warn", "warn", "error"]);
    expect(here.log.at(-1)).toMatchObject({ message: "a mail was given up", fields: { purpose: "reset" } });
    expect(JSON.stringify(here.log)).toContain("ECONNECTION");
    expect(JSON.stringify(here.log)).not.toContain(email);
    expect(outcomes).toEqual(["failed reset", "failed reset", "given-up reset"]);
  });

  test("tries no mail again that will never be taken", async () => {
    const mailer = moody(() => Promise.reject(new MailRejected("no such mailbox")));
    const here = mailWorld({ stores: await open(), mail: { mailer } });
    await here.plant({ email, emailKey: email });
    await here.browser().post(`${base}/password/forgot`, { email });
    await here.delivered();
    here.clock.advance(86_400);
    await here.delivered();
    expect(mailer.calls).toBe(1);
    expect(here.log.at(-1)?.message).toBe("a mail was given up");
  });

  test("is not held up for ever by a mailer that never answers, nor are the other mails", async () => {
    const hanging: Mailer = {
      send: ({ to }) => (to === email ? new Promise(() => undefined) : Promise.resolve()),
    };
    const outcomes: string[] = [];
    const here = mailWorld({
      stores: await open(),
      mail: { mailer: hanging, timeoutSeconds: 1, observe: (outcome) => void outcomes.push(outcome) },
    });
    for (const address of [email, "bo@example.com", "cy@example.com"]) {
      await here.plant({ email: address, emailKey: address });
      await here.browser().post(`${base}/password/forgot`, { email: address });
    }
    await here.delivered();
    expect(outcomes.toSorted()).toEqual(["failed", "sent", "sent"]);
    expect(here.log.at(-1)?.fields).toMatchObject({ reason: "TimeoutError" });
  });

  test("has so many mails on their way at a time, and no more", async () => {
    let [now, most] = [0, 0];
    const mailer: Mailer = {
      async send() {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now--;
      },
    };
    const here = mailWorld({ stores: await open(), mail: { mailer, sends: false, concurrency: 3 } });
    for (let index = 0; index < 12; index++) {
      const address = `a${index}@example.com`;
      await here.plant({ email: address, emailKey: address });
      await here.browser().post(`${base}/password/forgot`, { email: address });
    }
    await here.delivered();
    expect(most).toBe(3);
  });

  test("shares the outbox with other processes: each mail is claimed by one", async () => {
    const here = mailWorld({ stores: await open(), mail: { sends: false } });
    for (let index = 0; index < 10; index++) {
      const address = `a${index}@example.com`;
      await here.plant({ email: address, emailKey: address });
      await here.browser().post(`${base}/password/forgot`, { email: address });
    }
    await Promise.all([here.delivered(), here.delivered()]);
    expect(new Set(here.sink.sent.map(({ to }) => to)).size).toBe(10);
    expect(here.sink.sent).toHaveLength(10);
  });

  test("drops the mail of an account that has gone in the meantime", async () => {
    const here = mailWorld({ stores: await open(), mail: { sends: false } });
    const user = await here.plant({ email, emailKey: email });
    await here.browser().post(`${base}/password/forgot`, { email });
    await here.write({ kind: "user.update", userId: user.id, version: 1, changes: { status: "disabled" } });
    await here.delivered();
    expect(here.sink.sent).toEqual([]);
    const { directory } = here.recorder.stores;
    here.clock.advance(86_400);
    const claim = { limit: 10, leasedUntil: here.clock.now() };
    expect(await directory.claimMail(claim, here.call())).toEqual([]);
  });

  test("puts nothing back for an account that is erased while its mail is on the way", async () => {
    const held = gate();
    const mailer = moody(async () => {
      await held.pass();
      throw new Error("no answer");
    });
    const here = mailWorld({ stores: await open(), mail: { mailer } });
    const user = await here.plant({ email, emailKey: email });
    await here.browser().post(`${base}/password/forgot`, { email });
    await held.reached;
    await here.write({ kind: "user.erase", userId: user.id, requires: "any" });
    held.open();
    await here.delivered();
    here.clock.advance(86_400);
    const claim = { limit: 10, leasedUntil: here.clock.now() };
    expect(await here.recorder.stores.directory.claimMail(claim, here.call())).toEqual([]);
  });

  test("waits at the end for what is on its way, and takes nothing more", async () => {
    const held = gate();
    const mailer = moody(() => held.pass());
    const here = mailWorld({ stores: await open(), mail: { mailer, concurrency: 1 } });
    await here.plant({ email, emailKey: email });
    await here.browser().post(`${base}/password/forgot`, { email });
    await held.reached;
    await here.browser().post(`${base}/magic-link`, { email });
    const closing = here.auth.close();
    let isClosed = false;
    void closing.then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isClosed).toBe(false);
    held.open();
    await closing;
    expect(mailer.sent).toHaveLength(1);
    expect(mailer.calls).toBe(1);
  });

  test("goes on after the directory did not answer", async () => {
    const here = mailWorld({ stores: await open(), mail: { sends: false } });
    await here.plant({ email, emailKey: email });
    await here.browser().post(`${base}/password/forgot`, { email });
    here.recorder.before = ({ name }) =>
      name === "directory.claimMail" ? Promise.reject(new Error("down")) : null;
    await here.delivered();
    expect(here.log.at(-1)?.message).toBe("the outbox was not read");
    here.recorder.before = () => null;
    await here.delivered();
    expect(here.sink.sent).toHaveLength(1);
  });

  test("sends what a dead process had claimed, once its lease has run out", async () => {
    const here = mailWorld({ stores: await open(), mail: { sends: false } });
    await here.plant({ email, emailKey: email });
    await here.browser().post(`${base}/password/forgot`, { email });
    const leasedUntil = new Date(here.clock.now().getTime() + 90_000);
    const claimed = await here.recorder.stores.directory.claimMail({ limit: 10, leasedUntil }, here.call());
    expect(claimed).toHaveLength(1);
    await here.delivered();
    expect(here.sink.sent).toEqual([]);
    here.clock.advance(90);
    await here.delivered();
    expect(here.sink.sent).toHaveLength(1);
  });
});

test("a mail is sent soon after the change that it belongs to, and by nobody's request after a start", async () => {
  const here = mailWorld();
  await here.plant({ email, emailKey: email });
  await here.browser().post(`${base}/password/forgot`, { email });
  await until(() => here.sink.sent.length === 1);
  const idle = mailWorld({ mail: { sends: false } });
  await idle.plant({ email, emailKey: email });
  await idle.browser().post(`${base}/password/forgot`, { email });
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(idle.sink.sent).toEqual([]);
});

test("what observes mails hinders none", async () => {
  const observe = (): never => {
    throw new Error("no counter");
  };
  const here = mailWorld({ mail: { observe } });
  await here.plant({ email, emailKey: email });
  await here.browser().post(`${base}/password/forgot`, { email });
  await here.delivered();
  here.clock.advance(86_400);
  await here.delivered();
  expect(here.sink.sent).toHaveLength(1);
});

test("a template that breaks is told to the operator, and tried again", async () => {
  const templates = { reset: () => ({ subject: "one\r\nBcc: all@example.com", text: "x", html: "<p>x" }) };
  const here = mailWorld({ mail: { templates } });
  await here.plant({ email, emailKey: email });
  await here.browser().post(`${base}/password/forgot`, { email });
  await here.delivered();
  expect(here.sink.sent).toEqual([]);
  expect(here.log.at(-1)?.cause).toBeInstanceOf(TypeError);
});

test.each([
  [{ from: "" }, "from"],
  [{ from: "Example" }, "from"],
  [{ from: "Example <a@b.example>\r\nBcc: c@d.example" }, "from"],
  [{ from: "a@b.example, c@d.example" }, "from"],
  [{ concurrency: 0 }, "concurrency"],
  [{ timeoutSeconds: 601 }, "timeoutSeconds"],
  [{ paths: { reset: "https://evil.example/" } }, "paths.reset"],
  [{ site: "a\nb" }, "site"],
])("mail(%j) refuses to start, and names %s", (options, named) => {
  expect(() => mailWorld({ mail: options })).toThrow(`mail: ${named}`);
});

describe("a mail that somebody asks for", () => {
  /** Sets up what is to be done later, and asks for a mail. */
  async function asked() {
    const later = new Set<{ readonly ms: number; readonly work: () => void }>();
    const after: Clock["after"] = (ms, work) => {
      const order = { ms, work };
      later.add(order);
      return () => void later.delete(order);
    };
    const [stores, sink] = [recorder(memory()), mailSink()];
    const auth = createAuth({
      origin: "http://localhost:3000",
      secrets: [testSecret],
      stores: stores.stores,
      features: [
        testPasswords(inlineThreads()),
        mail({ mailer: sink, from: "no-reply@app.example", pollSeconds: 3_600 }),
      ],
      registration: "open",
      clock: { ...testClock(), after },
    });
    await auth.users.create({ email, username: "ana", password: next });
    const [body, headers] = [JSON.stringify({ email }), { "Content-Type": "application/json" }];
    const request = new Request(`http://localhost:3000${base}/password/forgot`, {
      method: "POST",
      body,
      headers,
    });
    expect((await auth.handle(request, { ip: null }))?.status).toBe(202);
    const [moment] = [...later].filter(({ ms }) => ms < 1_000);
    return { auth, stores, sink, moment };
  }

  test("is looked for after the answer, in a moment that differs: what it costs to write to somebody does not show", async () => {
    const moments = new Set<number>();
    for (let round = 0; round < 8; round++) {
      const { stores, sink, moment } = await asked();
      expect(stores.trace()).not.toContain("directory.claimMail");
      expect(moment?.ms).toBeGreaterThanOrEqual(50);
      moments.add(moment?.ms ?? 0);
      moment?.work();
      await until(() => sink.sent.length === 1);
    }
    expect(moments.size).toBeGreaterThan(1);
  });

  test("is sent at once where the process ends in that moment", async () => {
    const { auth, sink } = await asked();
    expect(sink.sent).toEqual([]);
    await auth.close();
    expect(sink.newest(email).subject).not.toBe("");
  });
});
