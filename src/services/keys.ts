import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { KeyLabel, Keys } from "../ports/services.ts";

const labels: readonly KeyLabel[] = ["csrf", "form-token", "identifier"];

/**
 * Derives one key for each use from each secret, by HKDF-SHA-256 with the label as its info: what is signed for one use
 * never verifies for another.
 *
 * @see RFC 5869; NIST SP 800-108
 */
export function deriveKeys(secrets: readonly [string, ...string[]]): Keys {
  const keys = new Map(labels.map((label) => [label, secrets.map((secret) => derive(secret, label))]));
  const mac = (key: Uint8Array, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const keysOf = (label: KeyLabel): readonly Uint8Array[] => keys.get(label) ?? [];
  return {
    sign: (label, text) => mac(keysOf(label)[0] as Uint8Array, text),
    verify: (label, text, given) =>
      keysOf(label).some((key) => given.length === 32 && timingSafeEqual(mac(key, text), given)),
  };
}

function derive(secret: string, label: KeyLabel): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", `latchkey/1/${label}`, 32));
}
