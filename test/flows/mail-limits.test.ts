import { describe, expect, test } from "vitest";
import type { MailPurpose } from "../../src/domain/outbox.ts";
import { followOnce } from "../../src/flows/following/follow-events.ts";
import { takeMail } from "../../src/flows/mail/limits.ts";
import { mailWorld } from "../support/mail.ts";
import { type World, world } from "../support/world.ts";

const from = { ip: null, userAgent: null, requestId: null };

/** Takes a mail; the limit that refused it, or null. */
async function take(
  here: World,
  { to, ip = null, purpose = "reset" }: { to: string; ip?: string | null; purpose?: MailPurpose },
): Promise<string | null> {
  const before = here.heard("rate_limit.hit").length;
  const code = await takeMail(here.services, { purpose, to, limitIp: ip }, from).then(
    () => null,
    (error) => error.code,
  );
  if (code === null) return null;
  expect(code).toBe("rate_limited");
  return here.heard("rate_limit.hit").slice(before)[0]?.payload.limit ?? "not on record";
}

/** The refusals of so many mails, each to somebody else, from as many clients of a network as it has. */
async function takeMany(
  here: World,
  count: number,
  mail: { ip?: (index: number) => string; purpose?: MailPurpose },
): Promise<readonly (string | null)[]> {
  const { ip, ...rest } = mail;
  const refused: (string | null)[] = [];
  for (let index = 0; index < count; index++)
    refused.push(await take(here, { ...rest, to: `n${index}@example.com`, ip: ip?.(index) ?? null }));
  return refused.filter((limit) => limit !== null);
}

describe("mails are limited", () => {
  test("by the address that they go to, and by who asks", async () => {
    const here = world();
    const to = "ana@example.com";
    for (let sent = 0; sent < 5; sent++) expect(await take(here, { to, ip: `192.0.${sent}.1` })).toBeNull();
    expect(await take(here, { to, ip: "192.0.9.1" })).toBe("mail");
    expect(await take(here, { to, ip: "192.0.9.1", purpose: "magic_link" })).toBeNull();
    expect(await takeMany(here, 101, { ip: () => "198.51.100.7" })).toEqual(["mail_ip"]);
  });

  test.each([
    ["the /48 of an IPv6 site", (index: number) => `2001:db8:1:${index.toString(16)}::1`, "2001:db8:2::1"],
    ["the /24 of IPv4 addresses", (index: number) => `192.0.2.${index % 250}`, "192.0.3.1"],
  ])("by %s, however many clients are in it", async (_, ip, elsewhere) => {
    const here = world();
    expect(await takeMany(here, 2_001, { ip })).toEqual(["mail_ip_subnet"]);
    const to = "ana@example.com";
    expect(await take(here, { to, ip: ip(249) })).toBe("mail_ip_subnet");
    // What was refused took nothing of what the address has.
    for (let sent = 0; sent < 5; sent++) expect(await take(here, { to, ip: elsewhere })).toBeNull();
    here.clock.advance(3_600);
    expect(await take(here, { to, ip: ip(249) })).toBeNull();
  });

  test("altogether where strangers may get them, and nobody is kept from the others by that", async () => {
    const here = world();
    const purpose = "registration";
    expect(await takeMany(here, 50_001, { purpose })).toEqual(["mail_global"]);
    expect(await take(here, { to: "new@example.com", purpose: "verify" })).toBeNull();
    expect(await takeMany(here, 50_001, { purpose: "reset" })).toEqual([]);
  });

  test("as they arrive by HTTP, too", async () => {
    const here = mailWorld();
    const statuses: number[] = [];
    for (let index = 0; index < 2_001; index++) {
      const browser = here.browser();
      browser.ip = `2001:db8:1:${index.toString(16)}::1`;
      const email = `n${index}@example.com`;
      statuses.push((await browser.post("/api/v1/auth/password/forgot", { email })).status);
    }
    expect(statuses.slice(-2)).toEqual([202, 429]);
    const elsewhere = here.browser();
    elsewhere.ip = "2001:db8:2::1";
    expect((await elsewhere.post("/api/v1/auth/password/forgot", { email: "ana@example.com" })).status).toBe(
      202,
    );
  });
});

describe("two applications with one store of counters", () => {
  test("count apart, and neither could tell whom the other counts", async () => {
    const one = mailWorld({ registration: "confirm" });
    const other = one.again({ secrets: ["the secret of another, of at least 32 bytes"] });
    const keysOf = async (here: World): Promise<readonly string[]> => {
      const browser = here.browser();
      const email = "ana@example.com";
      await browser.post("/api/v1/auth/login", { email, password: "not the password" });
      await browser.post("/api/v1/auth/password/forgot", { email });
      await browser.post("/api/v1/auth/register", { email, password: "correct horse battery staple" });
      await here.settle();
      const deliver = () => Promise.reject(new Error("down"));
      const told = {
        name: "listener:billing",
        types: null,
        from: "beginning",
        isStopping: () => false,
      } as const;
      expect(await followOnce(here.services, { ...told, deliver })).toMatchObject({ kind: "failed" });
      const calls = here.recorder.calls.filter(({ name }) => name.startsWith("ephemeral."));
      return calls.flatMap(({ args: [first] }) =>
        Array.isArray(first) ? first.map((each) => each.key ?? each) : [first],
      );
    };
    const [first, second] = [await keysOf(one), await keysOf(other)];
    expect(first.length).toBeGreaterThan(12);
    expect(first.filter((key) => second.includes(key))).toEqual([]);
  });
});
