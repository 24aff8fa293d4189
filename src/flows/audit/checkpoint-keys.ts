import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { AuditCheckpoint } from "../../domain/audit.ts";
import type { Keys } from "../../ports/services.ts";

/** PKCS #8 around the 32 bytes of an Ed25519 private key. @see RFC 8410, section 7 */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");

/** What a checkpoint's signature says of it. */
export type SignatureVerdict = "good" | "bad" | "unknown_key";

/** Signs checkpoints of the audit log, and verifies them. */
export interface CheckpointKeys {
  /** Base64url Ed25519 public keys, of the first secret first: what somebody needs who verifies without our secrets. */
  readonly publicKeys: readonly string[];
  sign(checkpoint: Omit<AuditCheckpoint, "signature">): AuditCheckpoint;
  verify(checkpoint: AuditCheckpoint): SignatureVerdict;
}

/**
 * The keys of this deployment: Ed25519, derived from the secrets, so that a copy of the database signs nothing, and whoever verifies
 * needs the public half alone. All of the secrets verify, as everywhere.
 *
 * @param further - public keys of secrets that were dropped, base64url
 * @throws TypeError where one of them is no Ed25519 public key
 * @see RFC 8032
 */
export function checkpointKeys(keys: Pick<Keys, "derived">, further: readonly string[] = []): CheckpointKeys {
  const own = keys.derived("audit-checkpoint").map((seed) => keyPair(seed));
  const known = new Map([...own, ...further.map(givenKey)].map((key) => [key.id, key.publicKey]));
  const [first] = own;
  if (first === undefined) throw new TypeError("there is no secret to sign with");
  return {
    publicKeys: own.map(({ text }) => text),
    sign(checkpoint) {
      const signature = sign(null, signedBytes(checkpoint), first.privateKey).toString("base64url");
      return { ...checkpoint, signature: `${first.id}.${signature}` };
    },
    verify(checkpoint) {
      const [id = "", signature = ""] = checkpoint.signature.split(".");
      const key = known.get(id);
      if (key === undefined) return "unknown_key";
      return verify(null, signedBytes(checkpoint), key, Buffer.from(signature, "base64url")) ? "good" : "bad";
    },
  };
}

/** What is signed: four lines, each ended by U+000A but the last. */
function signedBytes({ seq, chainHash, createdAt }: Omit<AuditCheckpoint, "signature">): Buffer {
  return Buffer.from(`latchkey/audit-checkpoint/1\n${seq}\n${chainHash}\n${createdAt.toISOString()}`);
}

interface PublicKey {
  readonly id: string;
  readonly text: string;
  readonly publicKey: KeyObject;
}

function keyPair(seed: Uint8Array): PublicKey & { readonly privateKey: KeyObject } {
  const der = Buffer.concat([pkcs8Head, seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { ...named(createPublicKey(privateKey)), privateKey };
}

function givenKey(text: string): PublicKey {
  try {
    return named(createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: text }, format: "jwk" }));
  } catch {
    throw new TypeError(`${JSON.stringify(text)} is no Ed25519 public key in base64url`);
  }
}

function named(publicKey: KeyObject): PublicKey {
  const { x: text = "" } = publicKey.export({ format: "jwk" });
  return { id: createHash("sha256").update(text).digest("base64url").slice(0, 8), text, publicKey };
}
