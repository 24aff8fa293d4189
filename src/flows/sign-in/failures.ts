import type { EventOrigin } from "../../domain/event.ts";
import { ipForLimits, subnetForLimits } from "../../domain/ip.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import {
  type Attempt,
  identifierHmac,
  limitKey,
  type NamedLimit,
  takenAttempt,
  tooMany,
} from "../attempts.ts";
import { forgetDevice, type KnownDevice } from "./devices.ts";

/** Failures in a row from which on somebody waits; more where more are allowed in a window. */
const fewestUntilWaiting = 10;
/** So many failures later a password alone does not do any more in a browser that is not known. */
const waitsUntilLocked = 90;
const firstWaitSeconds = 30;
const longestWaitSeconds = 3_600;
/** A row of failures ends by itself when none is added for this long. */
const forgottenAfterSeconds = 30 * 86_400;

/** Failures of one address, of its neighbourhood and of everybody, as multiples of what an account has in a window. */
const accountsPerAddress = 20;
const accountsPerSubnet = 100;
const accountsAltogether = 10_000;

/** Who tries a password. */
export interface Guesser {
  /** The account that was found. */
  readonly user: User | null;
  /** What was typed, as it is compared. */
  readonly typedKey: string;
  /** The browser, where the user has signed in in it before. */
  readonly device: KnownDevice | null;
  readonly ip: string | null;
}

/** An attempt at signing in. */
export interface LoginAttempt extends Attempt {
  /** Failures in a row before it, where there were so many that it had to wait; else 0. */
  readonly failuresBefore: number;
  /** The browser that it was counted for; null for one that is not known. */
  readonly device: KnownDevice | null;
  /** It has failed: counts it. @returns what `user.locked` says, where this one made the waiting begin or ended it for good */
  failed(): Promise<{ readonly failures: number; readonly retryAfterSeconds: number } | null>;
}

/**
 * Takes an attempt at signing in, before the work, from every counter that it is one of: address and account, account, address,
 * neighbourhood, everybody.
 *
 * From 10 failures in a row somebody waits: 30 s, 60 s and so on up to an hour; after 100 nobody gets in by a password alone. A browser
 * that the user has signed in in before has a row of failures of its own, and none of the counters that others can use up: nobody
 * can lock a person out of it. What was typed and belongs to nobody is counted like an account.
 *
 * @throws AuthError `rate_limited` with `retryAfterSeconds`
 * @see OWASP Authentication Cheat Sheet, "Account Lockout" and "Device cookies"
 */
export async function reserveLogin(
  services: PasswordServices,
  guesser: Guesser,
  from: EventOrigin,
): Promise<LoginAttempt> {
  const { stores, call } = services;
  const row = rowOf(services, guesser);
  const { waitingFrom, lockedFrom } = thresholds(services);
  const failures = await readFailures(services, row);
  if (failures >= lockedFrom) {
    if (guesser.device === null) throw locked(services, from);
    // Whoever sits there does not know the password: this browser is one like any other again.
    await forgetDevice(services, guesser.device);
    return reserveLogin(services, { ...guesser, device: null }, from);
  }
  let limits = limitsOf(services, guesser, row, failures);
  let reserved = await stores.ephemeral.reserve(limits, call());
  const isFirstWait = !reserved.ok && failures === 0 && reserved.key === row.free;
  if (isFirstWait) {
    limits = limitsOf(services, guesser, row, waitingFrom - 1);
    reserved = await stores.ephemeral.reserve(limits, call());
  }
  if (!reserved.ok) throw tooMany(services, limits, reserved, from);
  const number = isFirstWait ? waitingFrom : failures + 1;
  return {
    failuresBefore: failures,
    device: guesser.device,
    during: takenAttempt(services, limits).during,
    async clear() {
      const [own, , ...shared] = limits.map(({ key }) => key);
      await stores.ephemeral.remove([own ?? "", row.free, row.wait, row.count], call());
      if (shared.length > 0) await stores.ephemeral.refund(shared, call());
    },
    async failed() {
      if (number < waitingFrom) return null;
      // Only who had the one attempt of this wait comes here, so there is nobody whose count could be written over.
      await stores.ephemeral.put(row.count, String(number), forgottenAfterSeconds, call());
      if (number !== waitingFrom && number !== lockedFrom) return null;
      return { failures: number, retryAfterSeconds: waitSeconds(number - waitingFrom) };
    },
  };
}

/**
 * Forgets the failures of an account, those of this address included: somebody has shown by other means whose it is.
 *
 * @returns how many there were in a row, where they had begun to wait; else 0
 */
export async function forgiveFailures(
  services: Pick<Services, "stores" | "call" | "keys">,
  userId: string,
  ip: string | null = null,
): Promise<number> {
  const { stores, call } = services;
  const row = keysOf(`account:${userId}`);
  const failures = await readFailures(services, row);
  await stores.ephemeral.remove([pairKey(services, ip, row), row.free, row.wait, row.count], call());
  return failures;
}

/** {@link forgiveFailures} by the person themselves, who have shown that the mailbox is theirs; on record where anybody had to wait. */
export async function forgiveByMail(services: Services, userId: string, from: EventOrigin): Promise<void> {
  if ((await forgiveFailures(services, userId, from.ip)) === 0) return;
  const event = { type: "user.unlocked", userId, sessionId: null, payload: { by: "self" } } as const;
  await services.commit([{ kind: "audit.insert", row: services.events.row(event, from) }]);
}

/** The counters of one row of failures. */
interface FailureRow {
  readonly subject: string;
  /** Counter of those that nobody waits after. */
  readonly free: string;
  /** Counter of one attempt, whose window is the waiting. */
  readonly wait: string;
  /** Value: how many, from 10 on. */
  readonly count: string;
}

function rowOf(services: PasswordServices, { user, typedKey, device }: Guesser): FailureRow {
  if (device !== null) return keysOf(`device:${device.token.id}`);
  return keysOf(user === null ? `typed:${identifierHmac(services, typedKey)}` : `account:${user.id}`);
}

function keysOf(subject: string): FailureRow {
  return {
    subject,
    free: limitKey("login_free", subject),
    wait: limitKey("login_wait", subject),
    count: limitKey("login_failures", subject),
  };
}

async function readFailures(
  { stores, call }: Pick<Services, "stores" | "call">,
  { count }: FailureRow,
): Promise<number> {
  return Number((await stores.ephemeral.read(count, call())) ?? 0);
}

function limitsOf(
  services: PasswordServices,
  { device, ip }: Guesser,
  row: FailureRow,
  failures: number,
): [NamedLimit, ...NamedLimit[]] {
  const { maxAttempts: limit, windowSeconds } = services.config.login;
  const free = thresholds(services).waitingFrom - 1;
  const inARow: NamedLimit =
    failures < free
      ? { name: "login_account", key: row.free, limit: free, windowSeconds: forgottenAfterSeconds }
      : { name: "login_account", key: row.wait, limit: 1, windowSeconds: waitSeconds(failures - free) };
  if (device !== null)
    return [{ name: "login", key: limitKey("login", row.subject), limit, windowSeconds }, inARow];
  const subnet = limitKey("login_subnet", identifierHmac(services, subnetForLimits(ip)));
  return [
    { name: "login", key: pairKey(services, ip, row), limit, windowSeconds },
    inARow,
    loginIpLimit(services, ip),
    { name: "login_subnet", key: subnet, limit: limit * accountsPerSubnet, windowSeconds },
    { name: "login_global", key: limitKey("login_global"), limit: limit * accountsAltogether, windowSeconds },
  ];
}

/** The counter of failures of one address, whatever they are tried on; an office behind one address mistypes, too. */
export function loginIpLimit(services: Pick<Services, "keys" | "config">, ip: string | null): NamedLimit {
  const { maxAttempts, windowSeconds } = services.config.login;
  const key = limitKey("login_ip", identifierHmac(services, ipForLimits(ip)));
  return { name: "login_ip", key, limit: maxAttempts * accountsPerAddress, windowSeconds };
}

function pairKey(services: Pick<Services, "keys">, ip: string | null, { subject }: FailureRow): string {
  return limitKey("login", identifierHmac(services, ipForLimits(ip)), subject);
}

/** How long the next attempt waits, by how many have waited before. */
function waitSeconds(waits: number): number {
  return Math.min(longestWaitSeconds, firstWaitSeconds * 2 ** waits);
}

function thresholds({ config }: Pick<Services, "config">): { waitingFrom: number; lockedFrom: number } {
  const waitingFrom = Math.max(fewestUntilWaiting, config.login.maxAttempts);
  return { waitingFrom, lockedFrom: waitingFrom + waitsUntilLocked };
}

function locked({ events }: PasswordServices, from: EventOrigin): AuthError {
  const payload = { limit: "login_locked", retryAfterSeconds: longestWaitSeconds };
  events.report({ type: "rate_limit.hit", userId: null, sessionId: null, payload }, from);
  const message =
    "Too many failed login attempts. Reset the password, or sign in in a browser that you have used before.";
  return new AuthError("rate_limited", { message, retryAfterSeconds: longestWaitSeconds });
}
