import { describe, expect, it } from "vitest";
import { sessionOf, sessionText } from "../../src/stores/redis/session-text.ts";
import { sessionIn, sessionsOf, slotText } from "../../src/stores/slot-text.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";

// While processes are replaced one by one, two versions read and write the same texts. What the one before this knew of a
// session had no refresh tokens.

const make = fixtures(testClock());
const user = make.user({ slotTag: "slottag0" });
const session = make.session(user, { id: "slottag0aaaaaaaaaaaaaaaa", rotatedFrom: "r".repeat(24) });
const refresh = make.refreshFamily({ number: 12 });
const holders = [null, "r".repeat(24)].map((rotatedFrom) => ({ ...session, rotatedFrom, refresh }));

const digest = Buffer.from(session.secretDigest).toString("base64url");
const at = session.createdAt.getTime();
const [idle, end] = [session.idleExpiresAt.getTime(), session.expiresAt.getTime()];
const lineBefore = [
  ...[session.id, digest, user.id, 1, at, '["pwd"]', 0, at, at, idle, end],
  ...[session.ip, session.userAgent, session.rotatedFrom, "{}", 0],
];
const slotBefore = `latchkey-sessions 1\n${JSON.stringify(lineBefore)}`;
const fixedBefore = [digest, at, at, ["pwd"], 0, session.ip, session.userAgent, session.rotatedFrom];
const redisBefore = `${at} ${idle} ${end} 1 0\n${user.id}\n${JSON.stringify(fixedBefore)}\n{}`;

describe("the text of a slot", () => {
  it("of the version before is read, without refresh tokens", () => {
    expect(sessionsOf(slotBefore)).toEqual([session]);
    expect(sessionIn(slotBefore, session.id)).toEqual(session);
  });

  it("without refresh tokens is what the version before wrote", () => {
    expect(slotText([session])).toBe(slotBefore);
  });

  it("with refresh tokens can be read by the version before, which keeps them where it changes something else", () => {
    for (const holder of holders) {
      const [head, line = ""] = slotText([holder]).split("\n");
      const values: unknown[] = JSON.parse(line);
      expect(head).toBe("latchkey-sessions 1");
      expect(values).toHaveLength(16);
      // All that anything hangs on.
      expect(values.with(13, null)).toEqual(lineBefore.with(13, null));
      const written = values.with(14, '{"cart":[1]}').with(15, 1);
      const data = { cart: [1] };
      expect(sessionsOf(`${head}\n${JSON.stringify(written)}`)).toEqual([
        { ...holder, data, dataVersion: 1 },
      ]);
    }
  });

  it("that neither version wrote is refused", () => {
    for (const values of [lineBefore.slice(0, 15), [...lineBefore, null], lineBefore.with(1, 7)])
      expect(() => sessionsOf(`latchkey-sessions 1\n${JSON.stringify(values)}`)).toThrow(/cannot be read/);
  });
});

describe("the text of a session on Redis", () => {
  it("of the version before is read, without refresh tokens", () => {
    expect(sessionOf(session.id, redisBefore)).toEqual(session);
  });

  it("without refresh tokens is what the version before wrote", () => {
    expect(sessionText(session)).toBe(redisBefore);
  });

  it("with refresh tokens has all that the version before reads where it was", () => {
    for (const holder of holders) {
      const [numbers, owner, fixed = "", data] = sessionText(holder).split("\n");
      expect([numbers, owner, data].join("\n")).toBe(redisBefore.split("\n").toSpliced(2, 1).join("\n"));
      expect(JSON.parse(fixed).slice(0, 8)).toEqual(fixedBefore.with(7, holder.rotatedFrom));
    }
  });
});
