import { hash } from "node:crypto";
import type { PasswordCredential } from "../domain/credential.ts";
import type { EventOrigin } from "../domain/event.ts";
import { AuthError } from "../errors.ts";
import type { UserWithPassword } from "../ports/directory-store.ts";
import type { Limit, Reservation } from "../ports/ephemeral-store.ts";
import type { PasswordServices } from "../ports/services.ts";

/** What became of a password that was tried. */
export interface Tried {
  readonly ok: boolean;
  /** How much longer a refusal has to take, so that accounts are not told apart by time. */
  readonly owedMs: number;
  /** The credential as it is stored now: a match may have been re-encoded. Null where there is none. */
  readonly credential: PasswordCredential | null;
}

/** A counter with the name that events give it. */
export type NamedLimit = Limit & { readonly name: string };

/** An attempt that was taken, and that a wrong password uses up. */
export interface Attempt {
  /** After a success: forgets the failures that the first limit counted, and gives back only this one to the others. */
  clear(): Promise<void>;
  /** Gives it back where `work` fails: nobody learned anything, and a busy server must not use up a person's attempts. */
  during<T>(work: Promise<T>): Promise<T>;
}

/**
 * Takes an attempt before the work, so that concurrent guesses cannot all slip through.
 *
 * @throws AuthError `rate_limited` with `retryAfterSeconds`
 */
export async function reserveAttempt(
  services: PasswordServices,
  limits: readonly [NamedLimit, ...NamedLimit[]],
  from: EventOrigin,
): Promise<Attempt> {
  const reserved = await services.stores.ephemeral.reserve(limits, services.call());
  if (!reserved.ok) throw tooMany(services, limits, reserved, from);
  return takenAttempt(services, limits);
}

/** The refusal of somebody who used an attempt up too many; it is on record once this returns. */
export function tooMany(
  { events }: Pick<PasswordServices, "events">,
  limits: readonly [NamedLimit, ...NamedLimit[]],
  { key, retryAfterSeconds }: Extract<Reservation, { ok: false }>,
  from: EventOrigin,
): AuthError {
  const limit = limits.find((each) => each.key === key)?.name ?? limits[0].name;
  const payload = { limit, retryAfterSeconds };
  events.report({ type: "rate_limit.hit", userId: null, sessionId: null, payload }, from);
  const message = "Too many failed login attempts. Please try again later.";
  return new AuthError("rate_limited", { message, retryAfterSeconds });
}

/** An attempt that these limits have granted. */
export function takenAttempt(
  { stores, call }: Pick<PasswordServices, "stores" | "call">,
  limits: readonly [NamedLimit, ...NamedLimit[]],
): Attempt {
  const [own, ...shared] = limits;
  const keys = limits.map(({ key }) => key);
  return {
    async clear() {
      await stores.ephemeral.remove([own.key], call());
      if (shared.length > 0)
        await stores.ephemeral.refund(
          shared.map(({ key }) => key),
          call(),
        );
    },
    async during(work) {
      try {
        return await work;
      } catch (error) {
        // That it cannot be given back is a lesser reason than the one at hand.
        await stores.ephemeral.refund(keys, call()).catch(() => undefined);
        throw error;
      }
    },
  };
}

/** The counter of one account's password prompts behind a session: a thief of the session gets as few guesses as anybody. */
export function passwordPromptLimit(services: PasswordServices, userId: string): NamedLimit {
  const { maxAttempts, windowSeconds } = services.config.login;
  return { name: "password_prompt", key: `limit:prompt:${userId}`, limit: maxAttempts, windowSeconds };
}

/**
 * Verifies a password, or does the work of verifying one where there is none: unknown and known accounts cost the same.
 * A match in an outdated format is re-encoded; losing that race to another sign-in is fine.
 *
 * @throws AuthError `password_rejected` - longer than any password may be; `overloaded`. Nothing was tried.
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
  const stored = ok && needsRehash ? await upgrade(services, credential, password, from) : credential;
  return { ok, owedMs, credential: stored };
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

/** A keyed digest of what was typed as an identifier: enough to count by, worthless to whoever reads the store. */
export function identifierHmac({ keys }: Pick<PasswordServices, "keys">, typed: string): string {
  return Buffer.from(keys.sign("identifier", typed)).toString("base64url");
}

/** The key of a limit over several parts; digested, so that no identifier stands in a store's keys. */
export function limitKey(name: string, ...parts: readonly string[]): string {
  return `limit:${name}:${hash("sha256", parts.join("\n"), "base64url")}`;
}

// The leading word of "$argon2id$…", "$2b$…" or "pbkdf2_sha256$…".
function formatOf(encoded: string): string {
  return /^\$?([A-Za-z0-9_]{1,32})\$/.exec(encoded)?.[1] ?? "unknown";
}
