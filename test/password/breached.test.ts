import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type BreachedPasswordsOptions, breachedPasswords } from "../../src/password/breached.ts";
import { passwordPolicy } from "../../src/password/policy.ts";
import { inlineThreads } from "../support/inline-threads.ts";

const published = "a password that was published";
const digest = createHash("sha1").update(published).digest("hex").toUpperCase();
const padding = Array.from(
  { length: 900 },
  (_, at) => `${at.toString(16).toUpperCase().padStart(35, "0")}:0`,
);
const list = [...padding, `${digest.slice(5)}:37`, `${"F".repeat(35)}:2`].join("\r\n");

type Answering = (response: ServerResponse, request: IncomingMessage) => void;

async function listOf(answer: Answering, options: BreachedPasswordsOptions = {}) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const warnings: string[] = [];
  const breached = breachedPasswords({
    endpoint: `http://127.0.0.1:${port}/range/`,
    timeoutMs: 500,
    ...options,
  });
  const log = {
    warn: (message: string, fields = {}) => void warnings.push(message + JSON.stringify(fields)),
  };
  return { breached, log, warnings, requests, has: (password: string) => breached.has(password, log) };
}

describe("the list of breached passwords", () => {
  test("is asked by five digits of the digest, padded, and finds what was published", async () => {
    const { has, requests } = await listOf((response) => void response.end(list));
    expect(await has(published)).toBe(true);
    expect(requests.map(({ url }) => url)).toEqual([`/range/${digest.slice(0, 5)}`]);
    expect(requests[0]?.headers["add-padding"]).toBe("true");
  });

  test("does not take padding for a finding", async () => {
    const { has } = await listOf(
      (response) => void response.end(`${digest.slice(5)}:0\r\n${padding.join("\r\n")}`),
    );
    expect(await has(published)).toBe(false);
    const other = await listOf((response) => void response.end(list));
    expect(await other.has("another password that nobody published")).toBe(false);
  });

  test.each<[string, Answering]>([
    ["does not answer", () => {}],
    ["does not end its answer", (response) => void response.write(list.slice(0, 100))],
    ["fails", (response) => void response.writeHead(500).end(list)],
    ["leads elsewhere", (response) => void response.writeHead(302, { Location: "/elsewhere" }).end()],
    ["sends too much", (response) => void response.end(`${list}\r\n${"x".repeat(262_144)}`)],
    ["hangs up", (response) => void response.destroy()],
  ])("that %s refuses nobody, and the log says so without the password", async (_, answer) => {
    const { has, warnings, requests } = await listOf(answer);
    expect(await has(published)).toBeNull();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain(published);
    expect(warnings[0]).not.toContain(digest.slice(0, 5));
    expect(requests).toHaveLength(1);
  });

  test("is asked nothing in the clear", () => {
    expect(() => breachedPasswords({ endpoint: "http://list.example/range/" })).toThrow(TypeError);
    expect(() => breachedPasswords({ endpoint: "range" })).toThrow(TypeError);
    expect(() => breachedPasswords({ timeoutMs: 60_000 })).toThrow(TypeError);
  });
});

describe("a policy with that list", () => {
  test("refuses what is on it, and asks about nothing that it refuses itself", async () => {
    const { breached, log, requests } = await listOf((response) => void response.end(list));
    const policy = passwordPolicy({ threads: inlineThreads(), refusesCommon: false, breached, log });
    expect(await policy.check("short", { words: [] })).toMatchObject([{ code: "too_short" }]);
    expect(await policy.check("example.com", { words: ["example.com"] })).toMatchObject([
      { code: "context_word" },
    ]);
    expect(requests).toHaveLength(0);
    expect(await policy.check(published, { words: [] })).toMatchObject([{ code: "breached" }]);
    expect(await policy.check("another password, not published", { words: [] })).toEqual([]);
  });
});
