import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { AuditRow } from "../../src/domain/audit.ts";
import { chainHash, chainText } from "../../src/domain/audit-chain.ts";

const row: AuditRow = {
  id: "0190163d-8694-739b-aea5-966c26f8ad91",
  type: "user.login_failed",
  createdAt: new Date("2026-01-31T12:00:00.000Z"),
  userId: null,
  sessionId: null,
  requestId: 'a "quoted" id',
  payload: '{"reason":"credentials"}',
  digests: '{"ip":"abc"}',
  personal: [{ field: "ip", value: "192.0.2.1", salt: "salt" }],
  seq: 7,
  chainHash: null,
};

test("the bytes of a sealed row are those that are documented", () => {
  const previous = "A".repeat(43);
  const text = [
    "latchkey/audit/1",
    previous,
    '[7,"0190163d-8694-739b-aea5-966c26f8ad91","user.login_failed","2026-01-31T12:00:00.000Z",null,null,"a \\"quoted\\" id","{\\"reason\\":\\"credentials\\"}","{\\"ip\\":\\"abc\\"}"]',
  ].join("\n");
  expect(chainText(row, previous)).toBe(text);
  expect(chainHash(row, previous)).toBe(createHash("sha256").update(text).digest("base64url"));
  expect(chainText(row, null).split("\n")[1]).toBe("");
});

test("the digest does not depend on what can be erased, and depends on everything else", () => {
  const digest = chainHash(row, null);
  expect(chainHash({ ...row, personal: [], chainHash: "something" }, null)).toBe(digest);
  const changes: readonly Partial<AuditRow>[] = [
    { id: "0190163d-8694-739b-aea5-966c26f8ad92" },
    { type: "user.logged_in" },
    { createdAt: new Date("2026-01-31T12:00:00.001Z") },
    { userId: "someone" },
    { sessionId: "a session" },
    { requestId: null },
    { payload: '{"reason":"policy"}' },
    { digests: "{}" },
    { seq: 8 },
  ];
  const others = changes.map((change) => chainHash({ ...row, ...change }, null));
  expect(new Set([digest, ...others, chainHash(row, "A".repeat(43))]).size).toBe(changes.length + 2);
});
