import { hash } from "node:crypto";
import type { EventOrigin } from "../domain/event.ts";
import { AuthError } from "../errors.ts";
import type { Limit, Reservation } from "../ports/ephemeral-store.ts";
import type { PasswordServices } from "../ports/services.ts";

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

/** A keyed digest of what was typed as an identifier: enough to count by, worthless to whoever reads the store. */
export function identifierHmac({ keys }: Pick<PasswordServices, "keys">, typed: string): string {
  return Buffer.from(keys.sign("identifier", typed)).toString("base64url");
}

/** The key of a limit over several parts; digested, so that no identifier stands in a store's keys. */
export function limitKey(name: string, ...parts: readonly string[]): string {
  return `limit:${name}:${hash("sha256", parts.join("\n"), "base64url")}`;
}
