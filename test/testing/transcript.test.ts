import { expect, test } from "vitest";
import { apiKeys } from "../../src/features/api-keys.ts";
import { audit } from "../../src/features/audit.ts";
import { tokens } from "../../src/features/tokens.ts";
import { type TestClient, testAuth, testPassword, visitor, withApiKey } from "../../src/testing/testing.ts";

const base = "/api/v1";
const ana = { email: "ana@example.com", password: testPassword };
const wrong = { ...ana, password: "not her password" };

/** What one run saw, line by line: each answer whole, the mails, the events, the log and the time. */
async function transcript(seed?: string): Promise<readonly string[]> {
  const lines: string[] = [];
  const [keys, access, log] = [apiKeys(), tokens(), audit()];
  const features = [keys, access, log];
  const here = testAuth({ features, registration: "confirm", ...(seed !== undefined && { seed }) });
  const { auth, clock, mail, faults } = here;
  let step = 0;

  async function ask(client: TestClient, method: string, path: string, body?: object): Promise<string> {
    const answer = await client.fetch(base + path, { method, ...(body && { body }) });
    const text = await answer.text();
    const headers = [...answer.headers].map(([name, value]) => `  ${name}: ${value}`);
    lines.push(`${++step}. ${method} ${path} ${answer.status}`, ...headers, `  ${text}`);
    return text;
  }
  const said = (text: string): Readonly<Record<string, string>> => JSON.parse(text);

  const client = visitor(auth);
  const stranger = visitor(auth, { ip: "198.51.100.9" });
  await ask(client, "POST", "/auth/register", { ...ana, password: "password123" });
  await ask(client, "POST", "/auth/register", ana);
  await ask(client, "POST", "/auth/email/verify", { token: mail.token(ana.email) });
  await ask(client, "PATCH", "/users/me", { name: "Ana" });
  await ask(client, "POST", "/auth/logout");
  for (let tries = 0; tries < 6; tries++) await ask(stranger, "POST", "/auth/login", wrong);
  await clock.advance(900);
  await ask(stranger, "POST", "/auth/login", ana);
  await ask(client, "POST", "/auth/login", { ...ana, remember: true });
  await ask(client, "GET", "/users/me/sessions");
  await clock.advance(1_800);
  await ask(stranger, "GET", "/users/me");
  const pair = said(await ask(visitor(auth), "POST", "/auth/token", ana));
  const refreshed = said(await ask(visitor(auth), "POST", "/auth/token/refresh", pair));
  await ask(visitor(auth), "POST", "/auth/token/refresh", refreshed);
  await clock.advance(60);
  await ask(visitor(auth), "POST", "/auth/token/refresh", pair);
  const limited = { name: "CI", limits: { perMinute: 2, perDay: null } };
  const program = await withApiKey(auth, keys, { user: { email: ana.email }, key: limited });
  for (let uses = 0; uses < 3; uses++) await ask(program, "GET", "/users/me");
  await clock.advance(60);
  await ask(program, "GET", "/users/me");
  faults.add("refuse", { port: "directory", times: 1 });
  await ask(program, "GET", "/users/me");
  faults.add("hang", { port: "sessions", times: 1 });
  await ask(client, "GET", "/users/me");
  faults.add({ latencyMs: 1_500 }, { port: "sessions", times: 1 });
  await ask(client, "GET", "/users/me");
  await ask(client, "POST", "/auth/password/forgot", ana);
  const reset = { token: mail.token(ana.email), new_password: "another one entirely" };
  await ask(client, "POST", "/auth/password/reset", reset);
  await ask(client, "GET", "/users/me");
  await ask(stranger, "POST", "/auth/login", { ...ana, password: reset.new_password });
  await clock.advance(1_860);
  await ask(stranger, "GET", "/users/me");
  lines.push(`swept: ${await auth.sessions.sweep()}`);
  lines.push(`sealed: ${JSON.stringify(await auth.use(log).verify())}`);
  await auth.close();
  lines.push(...mail.sent.map((each) => JSON.stringify(each)));
  lines.push(...here.events.map((each) => JSON.stringify(each)));
  lines.push(...here.log.map(({ cause, ...line }) => JSON.stringify({ ...line, cause: String(cause) })));
  lines.push(clock.now().toISOString());
  return lines;
}

test("a run is byte for byte the one before it, with another seed another one, and takes no time", async () => {
  const startedAt = performance.now();
  const [first, second, other] = [await transcript(), await transcript(), await transcript("another")];
  expect(second).toEqual(first);
  expect(other).not.toEqual(first);
  const statuses = first.flatMap((line) => /^\d+\. .* (\d+)$/.exec(line)?.[1] ?? []);
  expect(statuses.join(" ")).toMatchInlineSnapshot(
    `"400 202 201 200 200 401 401 401 401 401 429 200 200 200 401 200 200 200 401 200 200 429 200 503 503 200 202 204 401 200 401"`,
  );
  // Of more than an hour, in which the log was sealed every five seconds.
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
