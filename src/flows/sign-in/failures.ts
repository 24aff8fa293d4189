import type { EventOrigin, EventPayloads } from "../../domain/event.ts";
import { ipForLimits, subnetForLimits } from "../../domain/ip.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { AuthError } from "../../errors.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import {
  type Attempt,
  exhausted,
  identifierHmac,
  keyedLimitKey,
  limitKey,
  type NamedLimit,
  rateLimited,
  takenAttempt,
  tooManyFailures,
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

/** An attempt that is one of a row of failures, should it fail. */
export interface AttemptInARow extends Attempt {
  /** Failures in a row before it, where there were so many that it had to wait; else 0. */
  readonly failuresBefore: number;
  /** It has failed: counts it. @returns what `user.locked` says, where this one made the waiting begin or ended it for good */
  failed(): Promise<EventPayloads["user.locked"] | null>;
}

/** An attempt at signing in. */
export interface LoginAttempt extends AttemptInARow {
  /** The browser that it was counted for; null for one that is not known. */
  readonly device: KnownDevice | null;
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
  const row = rowOf(services, guesser);
  const failures = await readFailures(services, row);
  if (failures >= thresholds(services).lockedFrom) {
    if (guesser.device === null) throw locked(services, "login_locked", lockedMessage, from);
    // Whoever sits there does not know the password: this browser is one like any other again.
    await forgetDevice(services, guesser.device);
    return reserveLogin(services, { ...guesser, device: null }, from);
  }
  const counted = { row, failures, limitsAfter: (count: number) => limitsOf(services, guesser, row, count) };
  return { ...(await reserveInARow(services, counted, from)), device: guesser.device };
}

/**
 * Takes an attempt at a password prompt behind a session. It waits and ends as sign-ins in one known browser do: 5 in a window, from 10
 * failures in a row 30 s and so on, after 100 none.
 *
 * Every proof of who is there, a sign-in or a right password at a prompt, has a row of its own and none of the counters that others can
 * use up: neither a stranger nor the thief of one session keeps its owner's other from the prompt. It is known by its moment and by the
 * absolute limit, not by the session's id: who holds a session can have it go on under a new one, and must not begin anew by that.
 *
 * @throws AuthError `rate_limited` with `retryAfterSeconds`
 */
export async function reservePrompt(
  services: PasswordServices,
  { user, current }: { readonly user: User; readonly current: Pick<Session, "authTime" | "expiresAt"> },
  from: EventOrigin,
): Promise<AttemptInARow> {
  const row = keysOf(`proof:${user.id}:${current.authTime?.getTime() ?? 0}:${current.expiresAt.getTime()}`);
  const failures = await readFailures(services, row);
  if (failures >= thresholds(services).lockedFrom)
    throw locked(services, "password_prompt_locked", promptLockedMessage, from);
  const limitsAfter = (count: number) => ownLimits(services, "password_prompt", row, count);
  return reserveInARow(services, { row, failures, limitsAfter }, from);
}

/** What an attempt is counted by. */
interface Counted {
  readonly row: FailureRow;
  /** In the row before it, from 10 on. */
  readonly failures: number;
  /** The limits after so many failures: the one that a success forgets, the row's own, and those that are shared. */
  limitsAfter(failures: number): Limits;
}

type Limits = readonly [NamedLimit, ...NamedLimit[]];

async function reserveInARow(
  services: PasswordServices,
  { row, failures, limitsAfter }: Counted,
  from: EventOrigin,
): Promise<AttemptInARow> {
  const { stores, call } = services;
  const { waitingFrom, lockedFrom } = thresholds(services);
  let limits = limitsAfter(failures);
  let reserved = await stores.ephemeral.reserve(limits, call());
  const isFirstWait = !reserved.ok && failures === 0 && reserved.key === row.free;
  if (isFirstWait) {
    limits = limitsAfter(waitingFrom - 1);
    reserved = await stores.ephemeral.reserve(limits, call());
  }
  if (!reserved.ok) throw exhausted(services, limits, reserved, from, { message: tooManyFailures });
  const number = isFirstWait ? waitingFrom : failures + 1;
  return {
    failuresBefore: failures,
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
): Limits {
  if (device !== null) return ownLimits(services, "login", row, failures);
  const { maxAttempts: limit, windowSeconds } = services.config.login;
  const subnet = keyedLimitKey(services, "login_subnet", subnetForLimits(ip));
  const altogether = keyedLimitKey(services, "login_global");
  return [
    { name: "login", key: pairKey(services, ip, row), limit, windowSeconds },
    inARow(services, "login_account", row, failures),
    loginIpLimit(services, ip),
    { name: "login_subnet", key: subnet, limit: limit * accountsPerSubnet, windowSeconds },
    { name: "login_global", key: altogether, limit: limit * accountsAltogether, windowSeconds },
  ];
}

/** The limits of a row that one browser or one session has to itself. */
function ownLimits(
  services: PasswordServices,
  name: "login" | "password_prompt",
  row: FailureRow,
  failures: number,
): Limits {
  const { maxAttempts: limit, windowSeconds } = services.config.login;
  const window = { name, key: limitKey(name, row.subject), limit, windowSeconds };
  return [window, inARow(services, name === "login" ? "login_account" : name, row, failures)];
}

function inARow(services: PasswordServices, name: string, row: FailureRow, failures: number): NamedLimit {
  const free = thresholds(services).waitingFrom - 1;
  return failures < free
    ? { name, key: row.free, limit: free, windowSeconds: forgottenAfterSeconds }
    : { name, key: row.wait, limit: 1, windowSeconds: waitSeconds(failures - free) };
}

/** The counter of failures of one address, whatever they are tried on; an office behind one address mistypes, too. */
export function loginIpLimit(services: Pick<Services, "keys" | "config">, ip: string | null): NamedLimit {
  const { maxAttempts, windowSeconds } = services.config.login;
  const key = keyedLimitKey(services, "login_ip", ipForLimits(ip));
  return { name: "login_ip", key, limit: maxAttempts * accountsPerAddress, windowSeconds };
}

function pairKey(services: Pick<Services, "keys">, ip: string | null, { subject }: FailureRow): string {
  return keyedLimitKey(services, "login", ipForLimits(ip), subject);
}

/** How long the next attempt waits, by how many have waited before. */
function waitSeconds(waits: number): number {
  return Math.min(longestWaitSeconds, firstWaitSeconds * 2 ** waits);
}

function thresholds({ config }: Pick<Services, "config">): { waitingFrom: number; lockedFrom: number } {
  const waitingFrom = Math.max(fewestUntilWaiting, config.login.maxAttempts);
  return { waitingFrom, lockedFrom: waitingFrom + waitsUntilLocked };
}

const lockedMessage =
  "Too many failed login attempts. Reset the password, or sign in in a browser that you have used before.";
const promptLockedMessage = "Too many wrong passwords. Reset the password, or sign in again.";

function locked(
  services: PasswordServices,
  limit: "login_locked" | "password_prompt_locked",
  message: string,
  from: EventOrigin,
): AuthError {
  return rateLimited(services, { limit, retryAfterSeconds: longestWaitSeconds }, from, { message });
}
