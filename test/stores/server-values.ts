import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoreCall } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { auditQuery } from "../../src/testing/queries.ts";
import type { Fixtures } from "../../src/testing/testing.ts";

/** One empty state of a server. */
export interface ValueGround {
  readonly make: Fixtures;
  call(): StoreCall;
  open(): Stores;
  /** Stores over a driver that the application told to read columns in a way of its own; only until the test ends. */
  openToldOtherwise(): Stores;
}

/** What becomes of values on a server: rules for one engine. */
export function serverValues(engine: string, isSkipped: boolean, ground: () => Promise<ValueGround>): void {
  describe.skipIf(isSkipped)(`values on ${engine}`, () => {
    it("come back as they were stored, NUL and what stands for it included", async () => {
      const { open, call, make } = await ground();
      const { directory, ephemeral } = open();
      const special = fc.constantFrom("\0", "\u0001", "0", "1", " ", "\\", "'", "?", "$1", "🔑", "é");
      const text = fc.array(fc.oneof(special, fc.string()), { maxLength: 8 }).map((parts) => parts.join(""));
      const property = fc.asyncProperty(text, async (name) => {
        const user = make.user({ name, data: { [name]: name } as never, roles: [name] });
        const row = make.auditRow({ userId: user.id, userAgent: name });
        await directory.commit(
          [
            { kind: "user.insert", user },
            { kind: "audit.insert", row },
          ],
          call(),
        );
        expect(await directory.user(user.id, call())).toEqual(user);
        expect(await directory.auditRows(auditQuery({ userId: user.id, limit: 1 }), call())).toEqual([row]);
        await ephemeral.put(`key${name}`, name, 60, call());
        expect(await ephemeral.take(`key${name}`, call())).toBe(name);
      });
      await fc.assert(property, { numRuns: 40 });
    });

    it("that differ in a NUL alone, or that a collation takes for the same, are different", async () => {
      const { open, call, make } = await ground();
      const { directory } = open();
      const withNul = ["a", "a\0", "a\u00010", "a\u0001", "a\u00011", "a\0\0"];
      const collated = ["A", "a ", "á", "ａ", "ß", "ss", "🔑", "🔒"];
      const users = [...withNul, ...collated].map((name) => make.user({ username: name, emailKey: name }));
      for (const user of users) {
        expect(await directory.commit([{ kind: "user.insert", user }], call())).toMatchObject({ ok: true });
      }
      for (const user of users) {
        for (const kind of ["username", "email"] as const) {
          const found = await directory.userWithPassword({ kind, key: user.username }, call());
          expect(found?.user).toEqual(user);
        }
      }
    });

    it("with half a surrogate pair are stored with the replacement character, as in SQLite", async () => {
      const { open, call, make } = await ground();
      const { directory, sessions } = open();
      const user = make.user({ name: "a\ud800b", data: { kept: "\ud800" } as never });
      await directory.commit([{ kind: "user.insert", user }], call());
      expect(await directory.user(user.id, call())).toEqual({ ...user, name: "a\ufffdb" });
      const touch = { sessionId: "\ud800", usedAt: new Date(0), idleExpiresAt: new Date(0) };
      await sessions.touch([touch], call());
      await directory.commit([{ kind: "revocation.forget", sessionIds: ["\ud800"] }], call());
    });

    it("are read by the stores' own rules, whatever the application told the driver", async () => {
      const { openToldOtherwise, call, make } = await ground();
      const { directory, sessions, ephemeral } = openToldOtherwise();
      const user = make.user({ isSuperuser: true, emailVerified: true });
      const session = make.session(user);
      const insert = { kind: "session.insert", session, cap: 3, evicted: () => [] } as const;
      await directory.commit([{ kind: "user.insert", user }, insert], call());
      expect(await sessions.find([session.id], call())).toEqual([{ expired: false, session, user }]);
      for (const isFirst of [true, false]) expect(await ephemeral.add("mark", 60, call())).toBe(isFirst);
      const setData = { kind: "session.set_data", sessionId: session.id, dataVersion: 0, data: {} } as const;
      expect(await directory.commit([setData], call())).toMatchObject({ ok: true });
    });
  });
}
