import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { temporaryDirectory } from "../support/backends.ts";
import { mailWorld } from "../support/mail.ts";

const email = "ana@example.com";
const next = "another good pass phrase";
const program = join(import.meta.dirname, "mail-process.ts");

interface Sent {
  readonly text: string;
  readonly id: string;
}

/** Runs the sender of another process, which dies at a step. @returns the signal that it died of, or null, and what it sent */
async function mortalSender(directory: string, step: number) {
  const sent = join(directory, "sent");
  const parts = [join(directory, "latchkey.db"), sent, String(step)];
  const child = spawn(process.execPath, [program, ...parts], { stdio: ["ignore", "ignore", "inherit"] });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  if (signal === null && code !== 0) throw new Error(`the sender ended with ${code}`);
  const lines = existsSync(sent) ? readFileSync(sent, "utf8").trim().split("\n") : [];
  return { signal, sent: lines.map((line) => JSON.parse(line) as Sent) };
}

async function dieAt(step: number) {
  const directory = temporaryDirectory();
  const stores = sqlite({ path: join(directory, "latchkey.db") });
  const here = mailWorld({ stores, mail: { sends: false } });
  here.clock.advance((Date.now() - here.clock.now().getTime()) / 1000);
  const user = await here.plant({ email, emailKey: email });
  await here.browser().post("/api/v1/auth/password/forgot", { email });
  const dead = await mortalSender(directory, step);
  // When its lease has run out, this process sends what it left.
  here.clock.advance(600);
  await here.delivered();
  const own = here.sink.sent.map(({ text, headers }) => ({ text, id: headers["Message-ID"] }));
  const sent = [...dead.sent, ...own];
  const answers = [];
  for (const { text } of sent) {
    const token = /token=(\S+)/.exec(text)?.[1];
    const body = { token, new_password: next };
    answers.push((await here.browser().post("/api/v1/auth/password/reset", body)).status);
  }
  const ids = new Set(sent.map(({ id }) => id)).size;
  const isChanged = await here.auth.users.verifyPassword(user.id, next);
  return { signal: dead.signal, answers, ids, isChanged };
}

test("a sender that dies at any step loses no mail, and of two mails only the newer one's link works", async () => {
  const steps = 3;
  let first = 1;
  let duplicates = 0;
  for (let isOver = false; !isOver; first += steps) {
    const deaths = await Promise.all(Array.from({ length: steps }, (_, index) => dieAt(first + index)));
    for (const { signal, answers, ids, isChanged } of deaths) {
      expect([ids, isChanged]).toEqual([1, true]);
      expect(answers).toEqual(answers.length === 1 ? [204] : [400, 204]);
      expect(["SIGKILL", null]).toContain(signal);
      duplicates += answers.length - 1;
      isOver ||= signal === null;
    }
  }
  // Claim, user, token, mailer, deletion, the next claim: each before and after.
  expect(first).toBeGreaterThan(12);
  expect(duplicates).toBeGreaterThan(0);
}, 120_000);
