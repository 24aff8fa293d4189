import { describe, expect, test } from "vitest";
import type { KeyLabel } from "../../src/ports/services.ts";
import { deriveKeys } from "../../src/services/keys.ts";
import { secret } from "../support/world.ts";

const other = "another secret of thirty-two bytes and more";

describe("derived keys", () => {
  const labels: readonly KeyLabel[] = ["csrf", "form-token", "identifier"];

  test("differ by use: what is signed for one never verifies for another", () => {
    const keys = deriveKeys([secret]);
    for (const label of labels) {
      for (const reading of labels) {
        expect(keys.verify(reading, "text", keys.sign(label, "text"))).toBe(label === reading);
      }
    }
  });

  test("sign with the first secret, and verify with all", () => {
    const [old, both, fresh] = [deriveKeys([secret]), deriveKeys([other, secret]), deriveKeys([other])];
    expect(both.verify("csrf", "text", old.sign("csrf", "text"))).toBe(true);
    expect(fresh.verify("csrf", "text", both.sign("csrf", "text"))).toBe(true);
    expect(fresh.verify("csrf", "text", old.sign("csrf", "text"))).toBe(false);
  });

  test("verify no other text, and no MAC of another length", () => {
    const keys = deriveKeys([secret]);
    const mac = keys.sign("csrf", "text");
    expect(mac).toHaveLength(32);
    expect(keys.verify("csrf", "texts", mac)).toBe(false);
    for (const wrong of [new Uint8Array(0), mac.slice(0, 31), new Uint8Array(33)])
      expect(keys.verify("csrf", "text", wrong)).toBe(false);
  });

  test("are not the secret itself", () => {
    const keys = deriveKeys([secret]);
    expect(Buffer.from(keys.sign("csrf", "text")).toString("hex")).toMatch(/^[0-9a-f]{64}$/);
    expect(deriveKeys([other]).sign("csrf", "text")).not.toEqual(keys.sign("csrf", "text"));
  });
});
