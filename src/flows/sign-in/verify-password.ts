import type { PasswordCredential } from "../../domain/credential.ts";
import type { EventOrigin } from "../../domain/event.ts";
import type { UserWithPassword } from "../../ports/directory-store.ts";
import type { PasswordServices } from "../../ports/services.ts";

/** What became of a password that was tried. */
export interface Tried {
  readonly ok: boolean;
  /** How much longer a refusal has to take, so that accounts are not told apart by time. */
  readonly owedMs: number;
  /** The credential as it is stored now: a match may have been re-encoded. Null where there is none. */
  readonly credential: PasswordCredential | null;
}

/**
 * Verifies a password, or does the work of verifying one where there is none: unknown and known accounts cost the same.
 * A match in an outdated format is re-encoded; losing that race to another sign-in is fine, and where it fails the next sign-in
 * tries again: a right password is not refused for it.
 *
 * @throws AuthError `password_rejected` - longer than any password may be; `overloaded`. The password was not tried.
 */
export async function tryPassword(
  services: PasswordServices,
  found: UserWithPassword | null,
  password: string,
  from: EventOrigin,
): Promise<Tried> {
  const credential = found?.password ?? null;
  if (credential === null)
    return { ok: false, credential, ...(await services.hashing.verifyDummy(password)) };
  const { ok, needsRehash, format, owedMs } = await services.hashing.verify(password, credential);
  if (format === null)
    services.log.warn("a stored password hash is in no known format", { userId: credential.userId });
  const stored = ok && needsRehash ? await upgradeOrKeep(services, credential, password, from) : credential;
  return { ok, owedMs, credential: stored };
}

async function upgradeOrKeep(
  services: PasswordServices,
  credential: PasswordCredential,
  password: string,
  from: EventOrigin,
): Promise<PasswordCredential> {
  try {
    return await upgrade(services, credential, password, from);
  } catch (cause) {
    services.log.error("a password was not re-encoded", { userId: credential.userId }, cause);
    return credential;
  }
}

async function upgrade(
  services: PasswordServices,
  credential: PasswordCredential,
  password: string,
  from: EventOrigin,
): Promise<PasswordCredential> {
  const encoded = await services.hashing.hash(password);
  const event = {
    type: "password.rehashed" as const,
    userId: credential.userId,
    sessionId: null,
    payload: { from: formatOf(credential.encoded), to: formatOf(encoded.encoded) },
  };
  const updatedAt = services.clock.now();
  const upgraded = { ...credential, ...encoded, version: credential.version + 1, updatedAt };
  const result = await services.commit([
    { kind: "password.replace", credential: upgraded },
    { kind: "audit.insert", row: services.events.row(event, from) },
  ]);
  return result.ok ? upgraded : credential;
}

// The leading word of "$argon2id$…", "$2b$…" or "pbkdf2_sha256$…".
function formatOf(encoded: string): string {
  return /^\$?([A-Za-z0-9_]{1,32})\$/.exec(encoded)?.[1] ?? "unknown";
}
