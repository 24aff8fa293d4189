import { createHash } from "node:crypto";
import type { PasswordCredential } from "../../domain/credential.ts";

/** What the companion knows of a password: the hash that counts, and the digests of those that it replaced. */
interface KnownHashes {
  readonly current: string;
  readonly replaced: readonly string[];
}

/** Replaced hashes that are remembered: a late write cannot bring back more than that many changes at once. */
const replacedMax = 8;

/** A credential as the companion keeps it. `before`: what it kept until now. */
export function keptCredential(
  credential: PasswordCredential,
  before: PasswordCredential | null,
): PasswordCredential {
  const known = before === null ? null : knownHashes(before);
  const replaced = known === null ? [] : [digest(known.current), ...known.replaced];
  const own = digest(credential.encoded);
  const hashes: KnownHashes = {
    current: credential.encoded,
    replaced: replaced.filter((one) => one !== own).slice(0, replacedMax),
  };
  return { ...credential, encoded: JSON.stringify(hashes) };
}

/**
 * The credential that counts. A hash in the application's column that was replaced through Latchkey counts no more, though the
 * column has not been written yet, or was written late; one that Latchkey never saw was put there by the application.
 */
export function countingCredential(
  column: string,
  kept: PasswordCredential,
): { readonly credential: PasswordCredential; readonly isColumnStale: boolean } {
  const { current, replaced } = knownHashes(kept);
  if (column === current || replaced.includes(digest(column)))
    return { credential: { ...kept, encoded: current }, isColumnStale: column !== current };
  return { credential: { ...kept, encoded: column, normalization: "raw" }, isColumnStale: false };
}

/** A credential for a hash that the application made before Latchkey was there. */
export function foundCredential(userId: string, encoded: string, now: Date): PasswordCredential {
  const times = { createdAt: now, updatedAt: now };
  return { kind: "password", id: userId, userId, encoded, normalization: "raw", version: 1, ...times };
}

function knownHashes({ encoded }: PasswordCredential): KnownHashes {
  return JSON.parse(encoded);
}

function digest(hash: string): string {
  return createHash("sha256").update(hash).digest("base64url");
}
