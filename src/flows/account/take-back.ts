import type { EncodedPassword } from "../../domain/credential.ts";
import { type EventOrigin, noOrigin } from "../../domain/event.ts";
import { emailKey } from "../../domain/identifier.ts";
import { oneTimeTokenTtlSeconds } from "../../domain/one-time-token.ts";
import { randomBase62 } from "../../domain/random.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { UserWithPassword } from "../../ports/directory-store.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { openSealed, readOneTimeToken, takeOneTimeToken } from "../one-time-tokens.ts";
import { refusalError } from "../refusals.ts";
import { revokedReport } from "../sign-in/start-session.ts";
import { assertChoosable, endOthers } from "./change-password.ts";
import { endLateWaysIn, otherWaysIn, passwordWrite, startAfresh } from "./reset-password.ts";

/** What the link about a changed address gives back. */
export interface TakingBack {
  readonly user: User;
  /** The former address. */
  readonly email: string;
}

/**
 * Looks at a link that undoes a change of address; spends nothing.
 *
 * The generation is not asked for: whoever took the account over has had every reason to move it.
 *
 * @throws AuthError `token_invalid` - unknown, used or expired, or the account cannot be used
 */
export async function openTakingBack(services: Services, text: string): Promise<TakingBack> {
  const { user, email } = await open(services, text);
  return { user, email };
}

/** What is sealed into the token of such a link. */
export interface UndoDetail {
  /** The former address. */
  readonly email: string;
  /** The user's version since the change. */
  readonly version: number;
}

/** A change that was undone, with all that followed it. */
interface Undone {
  /** The user's version since that change. */
  readonly from: number;
  /** Their version when it was undone. */
  readonly to: number;
}

async function open(
  services: Services,
  text: string,
): Promise<TakingBack & UserWithPassword & Pick<UndoDetail, "version">> {
  const { stores, call } = services;
  const token = await readOneTimeToken(services, "undo", text);
  const { email, version } = JSON.parse(openSealed(text, token)) as UndoDetail;
  // Who took an account over and changed its address twice has a link as well, to the first of theirs: it went with the change
  // that was undone.
  const undone = await undoneOf(services, token.userId ?? "");
  if (undone.some(({ from, to }) => version > from && version <= to)) throw new AuthError("token_invalid");
  const by = { kind: "id", key: token.userId ?? "" } as const;
  const found = await stores.directory.userWithPassword(by, { ...call(), readsThrough: true });
  if (found?.user.status !== "active" || found.user.emailKey === emailKey(email))
    throw new AuthError("token_invalid");
  return { ...found, email, version };
}

/** Lives as long as the longest of the links that it voids, and in the same store: losing it is losing them. */
async function undoneOf({ stores, call }: Services, userId: string): Promise<readonly Undone[]> {
  const stored = await stores.ephemeral.read(keyOf(userId), call());
  return stored === null ? [] : (JSON.parse(stored) as readonly Undone[]);
}

async function noteUndone(services: Services, userId: string, undone: Undone): Promise<void> {
  const { stores, call } = services;
  const all = [...(await undoneOf(services, userId)), undone].slice(-mostUndone);
  await stores.ephemeral.put(keyOf(userId), JSON.stringify(all), oneTimeTokenTtlSeconds.undo, call());
}

/**
 * Of two links of one account that are redeemed at once, one at a time: the other's record of what is void would else be read before
 * and written after this one's, and the link of whoever took the account over would open it again.
 *
 * @throws AuthError `conflict` - another is being redeemed, or one was cut off less than a minute ago
 */
async function oneAtATime<T>({ stores, call }: Services, userId: string, work: () => Promise<T>): Promise<T> {
  const key = `undoing:${userId}`;
  if (!(await stores.ephemeral.add(key, undoingSeconds, call()))) throw new AuthError("conflict");
  try {
    return await work();
  } finally {
    await stores.ephemeral.remove([key], call()).catch(() => undefined);
  }
}

/** Longer than a redeeming takes whose stores answer as late as they may. */
const undoingSeconds = 60;

/** Changes of address that can be undone in seven days, at twenty an hour: far below what anybody does. */
const mostUndone = 100;

function keyOf(userId: string): string {
  return `undone:${userId}`;
}

/**
 * Undoes a change of address, for whoever has the former mailbox: the address is as it was, the password is the one given here, and
 * every session, key and linked account is gone, since any of them may be somebody else's way in. An account that was made with the
 * former address meanwhile gives it up, unless its owner has confirmed it.
 *
 * @throws AuthError `token_invalid`; `password_rejected` - as where it is reset, the link still works; `email_taken` - the former
 * address has another account by now, whose owner has confirmed it; `conflict`
 */
export async function takeBack(
  services: PasswordServices,
  { token: text, password }: { readonly token: string; readonly password: string },
  from: EventOrigin,
): Promise<User> {
  const found = await open(services, text);
  const { user, email } = found;
  await assertChoosable(services, password, { ...found, user: { ...user, email } }, "new_password");
  const encoded = await services.hashing.hash(password);
  return oneAtATime(services, user.id, async () => {
    // Once more: another link may have made this one void in the meantime.
    return giveBack(services, await open(services, text), { text, encoded, from });
  });
}

/** What one redeeming writes, once it is the only one. */
async function giveBack(
  services: PasswordServices,
  found: Awaited<ReturnType<typeof open>>,
  {
    text,
    encoded,
    from,
  }: { readonly text: string; readonly encoded: EncodedPassword; readonly from: EventOrigin },
): Promise<User> {
  const { user, email } = found;
  const changes = { email, emailKey: emailKey(email), emailVerified: true, mustChangePassword: false };
  const about = { userId: user.id, sessionId: null };
  const { events } = services;
  const room = await makeRoom(services, email, from);
  // Before and not after: what dies in between leaves links void that led to a thief's address, and this one working.
  await noteUndone(services, user.id, { from: found.version, to: user.version + 2 });
  const result = await services.commit([
    ...room,
    { kind: "user.advance", userId: user.id, from: user.generation },
    { kind: "user.update", userId: user.id, version: user.version + 1, changes },
    passwordWrite(services, found, encoded),
    ...(await otherWaysIn(services, user, from)),
    endOthers(services, user.id, null, from),
    {
      kind: "audit.insert",
      row: events.row({ type: "email.changed", ...about, payload: { by: "self" } }, from),
    },
    { kind: "audit.insert", row: events.row({ type: "password.reset", ...about, payload: {} }, from) },
  ]);
  if (!result.ok) throw refusalError(result.refused);
  await takeOneTimeToken(services, "undo", text).catch(() => undefined);
  await endLateWaysIn(services, user, from);
  const restored = { ...user, ...changes, generation: user.generation + 1, version: user.version + 2 };
  await startAfresh(services, restored, from);
  return restored;
}

/**
 * Takes the former address from an account in which nobody has confirmed it, or which is deleted: whoever took an account over could
 * else register again with its address, and the link to it would be worth nothing. That account keeps all but the address and its
 * sessions; its rows name no browser, since they are its owner's to read.
 *
 * @throws AuthError `email_taken` - its owner has confirmed the address
 */
async function makeRoom(services: Services, email: string, from: EventOrigin): Promise<readonly Write[]> {
  const { stores, call, events } = services;
  const by = { kind: "email", key: emailKey(email) } as const;
  const found = await stores.directory.userWithPassword(by, { ...call(), readsThrough: true });
  if (found === null) return [];
  const { id: userId, generation, version, emailVerified, status } = found.user;
  if (emailVerified && status !== "deleted") throw refusalError("email_taken");
  const doing = { by: "mailbox" } as const;
  const elsewhere = { ...noOrigin, requestId: from.requestId };
  const moved = { type: "email.changed", userId, sessionId: null, payload: doing } as const;
  const ended = revokedReport(services, elsewhere, doing);
  return [
    { kind: "user.advance", userId, from: generation },
    { kind: "user.update", userId, version: version + 1, changes: placeholder(services) },
    { kind: "session.delete_all", userId, except: null, ended },
    { kind: "audit.insert", row: events.row(moved, elsewhere) },
  ];
}

/** An address for who has none: `.invalid` receives no mail. Random, so that nobody can register with it first. @see RFC 2606 */
function placeholder({ random }: Services): Pick<User, "email" | "emailKey" | "emailVerified"> {
  const name = randomBase62(22, (length) => random.bytes(length)).toLowerCase();
  const email = `${name}@displaced.invalid`;
  return { email, emailKey: emailKey(email), emailVerified: false };
}
