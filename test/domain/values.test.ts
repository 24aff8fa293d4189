import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auditRow, eventOfRow, personalDigest } from "../../src/domain/audit.ts";
import { csrfMac, csrfToken } from "../../src/domain/csrf.ts";
import { formatFormToken, formTokenText, parseFormToken } from "../../src/domain/form-token.ts";
import { isEmail, usernameKey } from "../../src/domain/identifier.ts";
import { ipForLimits } from "../../src/domain/ip.ts";
import { randomBase62, randomSessionId, randomSlotTag, uuidv7 } from "../../src/domain/random.ts";
import {
  formatSessionToken,
  idleLimit,
  isExpired,
  parseSessionToken,
  touchIntervalSeconds,
} from "../../src/domain/session.ts";
import { anonymousEmail, anonymousUsername } from "../../src/domain/user.ts";
import { testClock } from "../../src/testing/clock.ts";
import { fixtures } from "../../src/testing/fixtures.ts";
import { testRandom } from "../../src/testing/random.ts";
import { anyText } from "../support/arbitrary.ts";

const clock = testClock();
const make = fixtures(clock);
const now = clock.now();
const bytes = (length: number) => testRandom().bytes(length);
const later = (ms: number) => new Date(now.getTime() + ms);

describe("a session token", () => {
  const token = { id: "A".repeat(24), secret: "b".repeat(43) };

  test("reads back as it was written", () => {
    expect(parseSessionToken(formatSessionToken(token))).toEqual(token);
  });

  test.each([
    ["too short", `${"A".repeat(24)}.${"b".repeat(42)}`],
    ["too long", `${"A".repeat(24)}.${"b".repeat(44)}`],
    ["another length of id", `${"A".repeat(23)}.${"b".repeat(44)}`],
    ["padding", `${"A".repeat(24)}.${"b".repeat(42)}=`],
    ["a letter of no alphabet", `${"Ä".repeat(24)}.${"b".repeat(43)}`],
    ["no dot", "A".repeat(68)],
    ["quotes", `"${"A".repeat(23)}.${"b".repeat(42)}"`],
    ["a line break at its end", `${"A".repeat(24)}.${"b".repeat(43)}\n`],
  ])("with %s is none", (_, text) => {
    expect(parseSessionToken(text)).toBeNull();
  });

  test("of any text is read without an error", () => {
    fc.assert(fc.property(anyText(100), (text) => void parseSessionToken(text)));
  });
});

describe("a session's limits", () => {
  test("the instant of a limit is past it", () => {
    const limits = { idleExpiresAt: later(1000), expiresAt: later(5000) };
    expect(isExpired(limits, later(999))).toBe(false);
    expect(isExpired(limits, later(1000))).toBe(true);
    expect(isExpired({ ...limits, idleExpiresAt: later(9000) }, later(4999))).toBe(false);
    expect(isExpired({ ...limits, idleExpiresAt: later(9000) }, later(5000))).toBe(true);
  });

  test("the idle limit never lies past the absolute one", () => {
    expect(idleLimit(now, 60, later(3_600_000))).toEqual(later(60_000));
    expect(idleLimit(now, 60, later(30_000))).toEqual(later(30_000));
  });

  test("uses are written at most every 60 s, or a tenth of the idle limit, and at least a second apart", () => {
    expect([1_209_600, 1_800, 600, 100, 10, 5].map(touchIntervalSeconds)).toEqual([60, 60, 60, 10, 1, 1]);
  });
});

describe("a CSRF token", () => {
  const sign = (text: string) => Buffer.alloc(32, text);

  test("is masked anew each time and holds the same MAC", () => {
    const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)].map((mask) =>
      csrfToken("session", mask, sign),
    );
    expect(one).not.toBe(two);
    expect(Buffer.from(csrfMac(one ?? "") ?? []).equals(sign("session"))).toBe(true);
    expect(Buffer.from(csrfMac(two ?? "") ?? []).equals(sign("session"))).toBe(true);
  });

  test("of any other shape is none, and reading throws nothing", () => {
    for (const text of [
      "",
      "c1.",
      `f1.${"a".repeat(86)}`,
      `c1.${"a".repeat(85)}`,
      `c1.${"a".repeat(87)}`,
      `c1.${"=".repeat(86)}`,
    ]) {
      expect(csrfMac(text)).toBeNull();
    }
    fc.assert(fc.property(anyText(), (text) => void csrfMac(text)));
    fc.assert(fc.property(anyText(), (text) => void csrfMac(`c1.${text}`)));
  });
});

describe("a form token", () => {
  const token = {
    form: "sign-up",
    nonce: "n".repeat(22),
    expiresAt: later(3_600_000),
    mac: Buffer.alloc(32, 7),
  };

  test("reads back as it was written", () => {
    expect(parseFormToken(formatFormToken(token))).toEqual(token);
  });

  test("of any other shape is none, and reading throws nothing", () => {
    for (const text of [
      "",
      "f1.",
      formatFormToken(token).slice(0, -1),
      `${formatFormToken(token)}.`,
      formatFormToken(token).toUpperCase(),
    ]) {
      expect(parseFormToken(text)).toBeNull();
    }
    fc.assert(fc.property(anyText(), (text) => void parseFormToken(text)));
    fc.assert(fc.property(anyText(), (text) => void parseFormToken(`f1.a.${"n".repeat(22)}.zz.${text}`)));
  });

  test("covers binding, form, nonce and expiry with its MAC", () => {
    const texts = [
      formTokenText(token, "a"),
      formTokenText(token, "b"),
      formTokenText({ ...token, form: "other" }, "a"),
      formTokenText({ ...token, nonce: "m".repeat(22) }, "a"),
      formTokenText({ ...token, expiresAt: later(1) }, "a"),
    ];
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe("an address in limits", () => {
  test.each([
    [null, "unknown"],
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::9", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8::3:4:5:6:7", "2001:db8:0:3::/64"],
    ["2001::3:4:5:6:7", "2001:0:0:3::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::FFFF:192.0.2.7", "192.0.2.7"],
  ])("%s counts as %s", (ip, expected) => {
    expect(ipForLimits(ip)).toBe(expected);
  });
});

describe("randomness", () => {
  test("base62 throws away the bytes that would favour some letters", () => {
    const draws = [Buffer.from([248, 255, 250, 0, 61, 62]), Buffer.alloc(64, 1)];
    expect(randomBase62(4, () => draws.shift() ?? Buffer.alloc(64))).toBe("0z01");
  });

  test("a session id begins with its slot tag and has 24 characters", () => {
    const tag = randomSlotTag(bytes);
    expect(tag).toMatch(/^[A-Za-z0-9]{8}$/);
    expect(randomSessionId(tag, bytes)).toMatch(new RegExp(`^${tag}[A-Za-z0-9]{16}$`));
  });

  test("a UUID is of version 7 and variant 10, and begins with its time", () => {
    const at = new Date("2026-01-01T00:00:00.123Z");
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 10, maxLength: 10 }), (random) => {
        const id = uuidv7(at, () => random);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(at.getTime());
      }),
    );
  });
});

describe("an audit row", () => {
  const salt = () => "s".repeat(22);

  test("keeps personal fields beside itself, covered by salted digests, unsealed", () => {
    const event = eventOfRow(make.auditRow({ ip: "192.0.2.1", userAgent: "Agent" }));
    const row = auditRow(event, salt);
    expect(row.personal).toEqual([
      { field: "ip", value: "192.0.2.1", salt: salt() },
      { field: "user_agent", value: "Agent", salt: salt() },
    ]);
    expect(JSON.parse(row.digests)).toEqual({
      ip: personalDigest({ salt: salt(), value: "192.0.2.1" }),
      user_agent: personalDigest({ salt: salt(), value: "Agent" }),
    });
    expect(row).toMatchObject({ seq: null, chainHash: null });
    expect(eventOfRow(row)).toEqual(event);
  });

  test("has no digest of what nobody said", () => {
    expect(auditRow(eventOfRow(make.auditRow({ ip: null, userAgent: null })), salt)).toMatchObject({
      personal: [],
      digests: "{}",
    });
  });

  test("without its personal fields reads as an event without them", () => {
    const row = { ...make.auditRow({ ip: "192.0.2.1" }), personal: [] };
    expect(eventOfRow(row)).toMatchObject({ ip: null, userAgent: null });
  });

  test("digests differ with the salt", () => {
    expect(personalDigest({ salt: "a", value: "x" })).not.toBe(personalDigest({ salt: "b", value: "x" }));
  });
});

test("an anonymised account keeps an address that gets no mail and a name of a username's shape, and nobody can take either", () => {
  const { id } = make.user();
  expect(anonymousEmail(id)).toMatch(/@anonymized\.invalid$/);
  expect(anonymousUsername(id)).toMatch(/^x[0-9a-f]{31}$/);
  expect(usernameKey(anonymousUsername(id))).toBeNull();
  expect(isEmail(anonymousEmail(id))).toBe(false);
  expect(usernameKey(anonymousUsername(id).slice(1))).not.toBeNull();
});
