import { createCipheriv, createDecipheriv, createSecretKey, hash, type KeyObject } from "node:crypto";
import type { Random } from "../ports/clock.ts";

/** Encrypts texts at rest, at once and in this thread: what is read at a check must not wait behind password hashes. */
export interface TextBox {
  /** @param about - what the text is; it opens as nothing else */
  seal(text: string, about: string): string;
  /** The text; null where it was not sealed as this under one of the keys. */
  open(sealed: string, about: string): string | null;
  /** Whether a text was sealed under another key than the first, or one that is not known. */
  isFormer(sealed: string): boolean;
  /** Whether a text has the form of a sealed one. */
  isSealed(text: string): boolean;
}

const algorithm = "aes-256-gcm";
const nonceLength = 12;
const tagLength = 16;
/** A character that no address and no browser's name begins with, the name of the key, then nonce, ciphertext and tag. */
const shape = /^~([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]{38,})$/;

/**
 * Makes a box: the first key seals, all open.
 *
 * @see NIST SP 800-38D
 */
export function textBox(keys: readonly [Uint8Array, ...Uint8Array[]], random: Random): TextBox {
  const named = keys.map((bytes) => [keyName(bytes), createSecretKey(bytes)] as const);
  const byName: ReadonlyMap<string, KeyObject> = new Map(named);
  const [[name, first]] = named as [(typeof named)[number]];
  return {
    seal(text, about) {
      const nonce = random.bytes(nonceLength);
      const cipher = createCipheriv(algorithm, first, nonce).setAAD(Buffer.from(about));
      const box = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `~${name}.${box.toString("base64url")}`;
    },
    open(sealed, about) {
      const [, keyId = "", box = ""] = shape.exec(sealed) ?? [];
      const key = byName.get(keyId);
      return key === undefined ? null : opened(key, Buffer.from(box, "base64url"), about);
    },
    isFormer: (sealed) => shape.test(sealed) && shape.exec(sealed)?.[1] !== name,
    isSealed: (text) => shape.test(text),
  };
}

function opened(key: KeyObject, box: Buffer, about: string): string | null {
  const [nonce, sealed, tag] = [
    box.subarray(0, nonceLength),
    box.subarray(nonceLength, -tagLength),
    box.subarray(-tagLength),
  ];
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagLength });
  decipher.setAAD(Buffer.from(about)).setAuthTag(tag);
  try {
    return decipher.update(sealed, undefined, "utf8") + decipher.final("utf8");
  } catch {
    return null;
  }
}

/** Names a key without telling anything of it. */
function keyName(key: Uint8Array): string {
  return hash("sha256", key, "base64url").slice(0, 8);
}
