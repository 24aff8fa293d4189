import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from "node:crypto";
import type { KeyLabel, Keys } from "../ports/services.ts";

const labels: readonly KeyLabel[] = [
  "csrf",
  "form-token",
  "identifier",
  "access-token",
  "refresh-successor",
  "refresh-tag",
  "oauth-attempt",
  "provider-tokens",
  "sealed-session",
  "session-at-rest",
  "mail-code",
  "audit-checkpoint",
  "import-id",
];

/**
 * Derives one key for each use from each secret, by HKDF-SHA-256 with the label as its info: what is signed for one use
 * never verifies for another.
 *
 * @see RFC 5869; NIST SP 800-108
 */
export function deriveKeys(secrets: readonly [string, ...string[]]): Keys {
  const [first, ...others] = secrets;
  const keys = new Map(
    labels.map((label) => {
      const all = [derive(first, label), ...others.map((secret) => derive(secret, label))] as const;
      return [label, { all, macs: all.map((bytes) => createSecretKey(bytes)) }] as const;
    }),
  );
  const keysOf = (label: KeyLabel): { all: readonly [Uint8Array, ...Uint8Array[]]; macs: KeyObject[] } => {
    const found = keys.get(label);
    if (found === undefined) throw new TypeError(`no key is derived for ${label}`);
    return found;
  };
  return {
    sign: (label, text) => mac(keysOf(label).macs[0] as KeyObject, text),
    verify: (label, text, given) =>
      keysOf(label).macs.some((key) => given.length === 32 && timingSafeEqual(mac(key, text), given)),
    derived: (label) => keysOf(label).all,
  };
}

// With a key object: from bare bytes one would be made anew for each, at several times the cost of the hash.
function mac(key: KeyObject, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function derive(secret: string, label: KeyLabel): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", `latchkey/1/${label}`, 32));
}
