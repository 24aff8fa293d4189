import { hash } from "node:crypto";

/** Encrypts what only this deployment may read again. */
export interface Sealed {
  /** Compact JWE: letters, digits, `-`, `_` and dots. */
  seal(value: unknown): Promise<string>;
  /** The value; null for anything that was not sealed under one of the keys for this use. */
  open(text: string): Promise<unknown>;
  /** Which of the keys a text says that it was sealed under, 0 the first; null for none of them, or no sealed text. */
  keyOf(text: string): number | null;
}

/** Longer texts are not looked at. */
const longest = 32_768;

/**
 * Seals under keys derived for one use (`Keys.derived`): the first seals, all open. The ciphertext names its key, so that it can
 * be told which ones still need an old secret.
 *
 * @see RFC 7516; RFC 7518, sections 4.5 and 5.3
 */
export function sealed(keys: readonly [Uint8Array, ...Uint8Array[]]): Sealed {
  const byId = new Map(keys.map((key) => [keyId(key), key]));
  const [first] = keys;
  return {
    async seal(value) {
      const { CompactEncrypt } = await import("jose");
      const plain = new TextEncoder().encode(JSON.stringify(value));
      return new CompactEncrypt(plain)
        .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: keyId(first) })
        .encrypt(first);
    },
    async open(text) {
      if (text.length > longest) return null;
      const { compactDecrypt } = await import("jose");
      const algorithms = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };
      try {
        const { plaintext } = await compactDecrypt(text, ({ kid = "" }) => known(byId, kid), algorithms);
        return JSON.parse(new TextDecoder().decode(plaintext)) as unknown;
      } catch {
        return null;
      }
    },
    keyOf(text) {
      const place = [...byId.keys()].indexOf(keyNamed(text) ?? "");
      return place === -1 ? null : place;
    },
  };
}

/** The key that a sealed text names; null where it names none. */
function keyNamed(text: string): string | null {
  try {
    const head: unknown = JSON.parse(Buffer.from(text.split(".", 1)[0] ?? "", "base64url").toString());
    const kid = (head as { readonly kid?: unknown } | null)?.kid;
    return typeof kid === "string" ? kid : null;
  } catch {
    return null;
  }
}

function known(keys: ReadonlyMap<string, Uint8Array>, id: string): Uint8Array {
  const key = keys.get(id);
  if (key === undefined) throw new TypeError("sealed under another key");
  return key;
}

/** Names a key without telling anything of it. */
function keyId(key: Uint8Array): string {
  return hash("sha256", key, "base64url").slice(0, 11);
}
