import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mayReadMetrics } from "../../server/metrics/access.ts";
import { type HereServer, serveHere } from "./support/here-server.ts";

const password = "seven green kettles";
const token = "a-token-of-thirty-two-bytes-or-more-for-tests";

/** `GET /metrics` with exactly these headers. */
function scrape(server: HereServer, headers: Readonly<Record<string, string>> = {}) {
  return new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port: server.port, path: "/metrics", headers },
      async (answer) => {
        let text = "";
        for await (const chunk of answer.setEncoding("utf8")) text += chunk;
        resolve({ status: answer.statusCode ?? 0, type: answer.headers["content-type"] ?? "", text });
      },
    );
    sent.on("error", reject).end();
  });
}

/** The figure of a series, 0 where there is none. */
function figure(text: string, series: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

describe("/metrics", () => {
  let server: HereServer;
  beforeAll(async () => {
    server = await serveHere();
  });
  afterAll(() => server.remove());

  test("counts routes, checks, store calls, hashes and events, under names that are nobody's", async () => {
    const browser = server.browser();
    const email = "ann@example.com";
    await browser.post("/api/v1/auth/register", { email, password });
    await browser.get("/api/v1/users/me");
    await server.browser().post("/api/v1/auth/login", { email, password: "wrong but long enough" });
    await server.browser().get("/login", { headers: { Accept: "text/html" } });
    await server.browser().get("/not/a/path/of/anybody");
    const { status, type, text } = await scrape(server);
    expect([status, type]).toEqual([200, expect.stringMatching(/^text\/plain; version=0\.0\.4/)]);
    const counts: Readonly<Record<string, number>> = {
      'latchkey_request_seconds_count{route="POST /auth/register",status="201"}': 1,
      'latchkey_request_seconds_count{route="GET /users/me",status="200"}': 1,
      'latchkey_request_seconds_count{route="POST /auth/login",status="401"}': 1,
      'latchkey_request_seconds_count{route="GET /login",status="200"}': 1,
      'latchkey_request_seconds_count{route="other",status="404"}': 1,
      'latchkey_events_total{type="user.registered",reason=""}': 1,
      'latchkey_events_total{type="user.login_failed",reason="credentials"}': 1,
      'latchkey_hash_seconds_count{work="hash",outcome="ok"}': 1,
    };
    for (const [series, count] of Object.entries(counts))
      expect([series, figure(text, series)]).toEqual([series, count]);
    expect(figure(text, 'latchkey_check_seconds_count{outcome="session"}')).toBeGreaterThan(0);
    expect(
      figure(text, 'latchkey_store_seconds_count{call="directory.commit",outcome="ok"}'),
    ).toBeGreaterThan(0);
    expect(text).toContain("nodejs_eventloop_lag_p99_seconds");
    for (const personal of ["ann", "example.com", "anybody", "127.0.0.1"])
      expect(text).not.toContain(personal);
  });

  test.each([
    ["through a proxy on this machine", { "X-Forwarded-For": "203.0.113.9" }],
    ["the same in another spelling", { Forwarded: "for=203.0.113.9" }],
    ["by a page that reached this machine under another name", { Host: "evil.example:3000" }],
  ])("is not there for anybody else: %s", async (_who, headers) => {
    const { status, text } = await scrape(server, headers);
    expect(status).toBe(404);
    expect(text).not.toContain("latchkey_");
  });
});

describe("/metrics with a token", () => {
  let server: HereServer;
  beforeAll(async () => {
    server = await serveHere({ METRICS_TOKEN: token });
  });
  afterAll(() => server.remove());

  test("opens to who has it, and to no one else, this machine included", async () => {
    expect((await scrape(server)).status).toBe(404);
    for (const sent of [`${token}x`, token.slice(1), "", token.toUpperCase()]) {
      expect((await scrape(server, { Authorization: `Bearer ${sent}` })).status).toBe(404);
    }
    const headers = { Authorization: `Bearer ${token}`, "X-Forwarded-For": "203.0.113.9" };
    expect((await scrape(server, headers)).status).toBe(200);
  });
});

test("who may read the metrics, address by address", () => {
  const from = (
    peer: string | undefined,
    headers: Readonly<Record<string, string>> = { host: "localhost:3000" },
  ) => mayReadMetrics({ peer, header: (name) => headers[name] }, null);
  expect(["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.9.9.9"].map((peer) => from(peer))).not.toContain(
    false,
  );
  for (const peer of [
    undefined,
    "",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "127.0.0.1.evil",
    "1127.0.0.1",
    "fe80::1",
  ]) {
    expect([peer, from(peer)]).toEqual([peer, false]);
  }
  expect(from("127.0.0.1", {})).toBe(false);
  expect(from("127.0.0.1", { host: "[::1]:3000" })).toBe(true);
  for (const name of [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
  ])
    expect(from("127.0.0.1", { host: "127.0.0.1:3000", [name]: "" })).toBe(false);
});
