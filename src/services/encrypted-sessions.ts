import type { Session, SessionBag } from "../domain/session.ts";
import type { SessionsAtRest } from "../ports/services.ts";
import type { FoundSession, SessionStore } from "../ports/session-store.ts";
import type { Awaitable, Report, Write } from "../ports/store.ts";
import type { Stores } from "../ports/stores.ts";
import type { TextBox } from "./text-box.ts";

/** Tells of what lies there sealed, without opening it. */
export function sessionsAtRest({ sessions }: Stores, box: TextBox): SessionsAtRest {
  return {
    async underFormerKeys(userId, call) {
      const all = await sessions.list(userId, call);
      return all.filter((session) => isUnderFormerKey(session, box)).map(({ expiresAt }) => expiresAt);
    },
  };
}

function isUnderFormerKey({ ip, userAgent, data }: Session, box: TextBox): boolean {
  const texts = [ip, userAgent, isSealedBag(data, box) ? (data[sealedKey] as string) : null];
  return texts.some((text) => text !== null && box.isFormer(text));
}

/** The only key of a bag that is sealed. */
const sealedKey = "~sealed";

/**
 * Stores whose sessions lie encrypted: the data bag, the address and the browser. Ids, times and whose they are stay readable, since
 * stores look by them.
 *
 * What lies there unencrypted is read as it is, so that it can be switched on at any time. A session that none of the keys opens is
 * as good as gone: its owner signs in again.
 */
export function encryptedSessions(stores: Stores, box: TextBox): Stores {
  const { directory, sessions } = stores;
  const open = (session: Session): Session | null => openSession(session, box);
  return {
    ...stores,
    sessions: readingSessions(sessions, open),
    directory: {
      ...directory,
      async commit(writes, call) {
        const result = await directory.commit(
          writes.map((write) => sealedWrite(write, box, open)),
          call,
        );
        return result.ok ? { ...result, ended: opened(result.ended, open) } : result;
      },
    },
  };
}

type Open = (session: Session) => Session | null;

function readingSessions(sessions: SessionStore, open: Open): SessionStore {
  const foundOpened = (found: FoundSession | null): FoundSession | null => {
    if (found === null || found.expired) return found;
    const session = open(found.session);
    return session === null ? null : session === found.session ? found : { ...found, session };
  };
  return {
    ...sessions,
    find: (ids, call) => then(sessions.find(ids, call), (answers) => answers.map(foundOpened)),
    list: (userId, call) =>
      then(sessions.list(userId, call), (all) =>
        all.flatMap((session) => {
          const readable = open(session);
          return readable === null ? [] : [readable];
        }),
      ),
    sweep: async (limit, ended, call) =>
      opened(await sessions.sweep(limit, reporting(ended, open), call), open),
  };
}

// An embedded store answers at once, and a check must not pay for a promise.
function then<T, U>(answer: Awaitable<T>, read: (value: T) => U): Awaitable<U> {
  return answer instanceof Promise ? answer.then(read) : read(answer);
}

/** Sessions that ended: those that cannot be opened are told of as well, without what cannot be read. */
function opened(sessions: readonly Session[], open: Open): readonly Session[] {
  return sessions.map((session) => open(session) ?? { ...session, data: {}, ip: null, userAgent: null });
}

function reporting(report: Report, open: Open): Report {
  return (ended) => report(opened(ended, open));
}

function sealedWrite(write: Write, box: TextBox, open: Open): Write {
  switch (write.kind) {
    case "session.insert":
      return { ...write, session: sealSession(write.session, box), evicted: reporting(write.evicted, open) };
    case "session.replace":
      return {
        ...write,
        session: sealSession(write.session, box),
        ended: reporting(write.ended, open),
        evicted: reporting(write.evicted, open),
      };
    case "session.rotate":
      return {
        ...write,
        session: sealSession(write.session, box),
        ...(write.limit && { limit: { ...write.limit, evicted: reporting(write.limit.evicted, open) } }),
      };
    case "session.delete":
    case "session.delete_all":
    case "session.revoke":
      return { ...write, ended: reporting(write.ended, open) };
    case "session.set_data":
      return { ...write, data: sealBag(write.data, box) };
    default:
      return write;
  }
}

// The bag moves from one session to the next inside a transaction, so it is bound to none; the rest is bound to its session.
function sealSession(session: Session, box: TextBox): Session {
  const { id, ip, userAgent, data } = session;
  return {
    ...session,
    data: sealBag(data, box),
    ip: ip === null ? null : box.seal(ip, `ip ${id}`),
    userAgent: userAgent === null ? null : box.seal(userAgent, `user_agent ${id}`),
  };
}

function sealBag(bag: SessionBag, box: TextBox): SessionBag {
  return { [sealedKey]: box.seal(JSON.stringify(bag), "data") };
}

/** The session as it was; the same object where nothing of it is sealed, null where it cannot be opened. */
function openSession(session: Session, box: TextBox): Session | null {
  const { id, ip, userAgent, data } = session;
  const isSealed = isSealedBag(data, box) || isSealedText(ip, box) || isSealedText(userAgent, box);
  if (!isSealed) return session;
  const bag = openBag(data, box);
  const address = openText(ip, `ip ${id}`, box);
  const browser = openText(userAgent, `user_agent ${id}`, box);
  if (bag === null || address === undefined || browser === undefined) return null;
  return { ...session, data: bag, ip: address, userAgent: browser };
}

function isSealedText(text: string | null, box: TextBox): boolean {
  // Nearly nobody's begins so, and this is on the way of every check.
  return text?.startsWith("~") === true && box.isSealed(text);
}

/** Undefined where it cannot be opened. */
function openText(text: string | null, about: string, box: TextBox): string | null | undefined {
  if (text === null || !isSealedText(text, box)) return text;
  return box.open(text, about) ?? undefined;
}

function isSealedBag(data: SessionBag, box: TextBox): boolean {
  const sealed = data[sealedKey];
  return typeof sealed === "string" && box.isSealed(sealed) && Object.keys(data).length === 1;
}

function openBag(data: SessionBag, box: TextBox): SessionBag | null {
  if (!isSealedBag(data, box)) return data;
  const text = box.open(data[sealedKey] as string, "data");
  return text === null ? null : (JSON.parse(text) as SessionBag);
}
