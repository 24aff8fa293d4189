import { hash } from "node:crypto";
import type { EventOrigin } from "../domain/event.ts";
import { AuthError } from "../errors.ts";
import type { Limit, Reservation } from "../ports/ephemeral-store.ts";
import type { PasswordServices, Services } from "../ports/services.ts";

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
  await takeLimit(services, limits, from, { message: tooManyFailures });
  return takenAttempt(services, limits);
}

/** What somebody hears who failed too often. */
export const tooManyFailures = "Too many failed login attempts. Please try again later.";

/** What a refusal says, and whose it is on record. */
export interface RefusalNote {
  readonly userId?: string | null;
  readonly sessionId?: string | null;
  /** In place of the usual sentence. */
  readonly message?: string;
}

/**
 * Takes one from every limit, or from none.
 *
 * @throws AuthError `rate_limited` with `retryAfterSeconds`; it is on record
 */
export async function takeLimit(
  services: Pick<Services, "stores" | "events" | "call">,
  limits: readonly [NamedLimit, ...NamedLimit[]],
  from: EventOrigin,
  note: RefusalNote = {},
): Promise<void> {
  const reserved = await services.stores.ephemeral.reserve(limits, services.call());
  if (!reserved.ok) throw exhausted(services, limits, reserved, from, note);
}

/** The refusal of somebody who took one too many; it is on record once this returns. */
export function exhausted(
  services: Pick<Services, "events">,
  limits: readonly [NamedLimit, ...NamedLimit[]],
  { key, retryAfterSeconds }: Extract<Reservation, { ok: false }>,
  from: EventOrigin,
  note: RefusalNote,
): AuthError {
  const limit = limits.find((each) => each.key === key)?.name ?? limits[0].name;
  return rateLimited(services, { limit, retryAfterSeconds }, from, note);
}

/** The refusal by a limit, by its name; it is on record once this returns. */
export function rateLimited(
  { events }: Pick<Services, "events">,
  { limit, retryAfterSeconds }: { readonly limit: string; readonly retryAfterSeconds: number },
  from: EventOrigin,
  { userId = null, sessionId = null, message }: RefusalNote,
): AuthError {
  const payload = { limit, retryAfterSeconds };
  events.report({ type: "rate_limit.hit", userId, sessionId, payload }, from);
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

/** A keyed digest of what was typed as an identifier: enough to count by, worthless to whoever reads the store. */
export function identifierHmac({ keys }: Pick<PasswordServices, "keys">, typed: string): string {
  return Buffer.from(keys.sign("identifier", typed)).toString("base64url");
}

/**
 * The key of a limit over ids, of which there are too many to guess; digested, so that none stands in a store's keys. It outlives a
 * change of secrets.
 */
export function limitKey(name: string, ...parts: readonly string[]): string {
  return `limit:${name}:${hash("sha256", parts.join("\n"), "base64url")}`;
}

/**
 * The same over what can be guessed (an address, what was typed) or is the same in every application: digested under a key of this one,
 * so that a store of counters tells nobody whom it counts, and applications that share it count apart.
 */
export function keyedLimitKey(
  services: Pick<Services, "keys">,
  name: string,
  ...parts: readonly string[]
): string {
  return `limit:${name}:${identifierHmac(services, parts.join("\n"))}`;
}
