import type { Session } from "../../domain/session.ts";
import type {
  DetachedSession,
  DetachedSessions,
  OwnerKey,
  OwnerRecords,
} from "../../ports/detached-sessions.ts";
import type { Touch } from "../../ports/session-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { tagOf } from "./keys.ts";
import type { Parts } from "./parts.ts";
import {
  findScript,
  insertScript,
  listScript,
  refreshScript,
  setDataScript,
  takeScript,
  touchScript,
} from "./session-scripts.ts";
import { familyText, sessionOf, sessionText } from "./session-text.ts";
import { userOf } from "./user-text.ts";

/** Ids that one `find` may ask for. */
const findMax = 3;
/** Sessions that one script deletes, and uses that are noted at a time; no other command runs during a script. */
const batch = 200;

/**
 * Live sessions that a user has at most, whatever the cap: nobody else is served while a script goes through them, 16 ms for
 * so many. Sessions that lie in slots are bounded by about as many.
 */
const mostPerUser = 1_000;

/** Sessions on Redis. */
export function detachedSessions(
  { engine, link, keys, ping, close }: Parts,
  owners: OwnerRecords,
): DetachedSessions {
  async function findOne(id: string, call: StoreCall): Promise<DetachedSession | null> {
    const key = keys.session(id);
    if (key === null) return null;
    const found = (await link.run(findScript, [key], [], call)) as Found | null;
    if (found === null) return null;
    const [text, copy, readAt] = found;
    return { session: sessionOf(id, text), owner: ownerOf(copy), readAtMs: Number(readAt) };
  }

  async function insert(session: Session, cap: number, call: StoreCall): Promise<readonly Session[]> {
    const { id, userId } = session;
    const key = keys.session(id);
    if (key === null) throw new TypeError("a session's id has 24 characters of 0-9 A-Z a-z");
    const text = sessionText(session);
    const index = userId === null ? [] : [keys.index({ userId, slotTag: tagOf(id) })];
    const most = cap === 0 ? mostPerUser : Math.min(cap, mostPerUser);
    const args = [text, String(call.now.getTime()), String(most)];
    return sessionsOf(tagOf(id), await link.run(insertScript, [key, ...index], args, call));
  }

  async function take(ids: readonly string[], call: StoreCall): Promise<readonly Session[]> {
    const taken = await Promise.all(slotGroups(ids).map((group) => takeGroup(group, call)));
    return taken.flat();
  }

  async function takeGroup(group: readonly string[], call: StoreCall): Promise<readonly Session[]> {
    const [first, ...rest] = group.flatMap((id) => keys.session(id) ?? []);
    if (first === undefined) return [];
    const texts = (await link.run(takeScript, [first, ...rest], [], call)) as readonly (string | null)[];
    return texts.flatMap((text, at) => (text === null ? [] : sessionOf(group[at] as string, text)));
  }

  // One slot at a time; what is no id is left out.
  function slotGroups(ids: readonly string[]): readonly (readonly string[])[] {
    const byTag = new Map<string, string[]>();
    for (const id of new Set(ids)) {
      if (keys.session(id) === null) continue;
      const group = byTag.get(tagOf(id)) ?? [];
      group.push(id);
      byTag.set(tagOf(id), group);
    }
    return [...byTag.values()].flatMap((group) => batches(group));
  }

  async function touchOne({ sessionId, usedAt, idleExpiresAt }: Touch, call: StoreCall): Promise<void> {
    const key = keys.session(sessionId);
    if (key === null) return;
    const times = [call.now, usedAt, idleExpiresAt].map((time) => String(time.getTime()));
    await link.run(touchScript, [key], times, call);
  }

  return {
    engine,
    owners,
    ping,
    close,
    async find(ids, call) {
      if (ids.length > findMax) throw new TypeError(`find takes at most ${findMax} ids`);
      return Promise.all(ids.map((id) => findOne(id, call)));
    },
    async list(owner: OwnerKey, call) {
      const found = await link.run(listScript, [keys.index(owner)], [owner.userId], call);
      return sessionsOf(owner.slotTag, found);
    },
    insert,
    take,
    async setData({ sessionId, dataVersion, data }, call) {
      const key = keys.session(sessionId);
      if (key === null) return false;
      const args = [String(call.now.getTime()), String(dataVersion), JSON.stringify(data)];
      return (await link.run(setDataScript, [key], args, call)) === 1;
    },
    async refresh({ sessionId, from, family }, call) {
      const key = keys.session(sessionId);
      if (key === null) return false;
      const [now, use] = [call.now, family.refreshedAt].map((time) => String(time.getTime())) as [
        string,
        string,
      ];
      const args = [now, from === null ? "" : String(from), familyText(family), use];
      return (await link.run(refreshScript, [key], args, call)) === 1;
    },
    async touch(touches, call) {
      for (const some of batches(touches)) await Promise.all(some.map((touch) => touchOne(touch, call)));
    },
    expired: async () => [],
  };
}

type Found = readonly [text: string, copy: string | null, readAt: string];

// `<reign> <version> <user>`
function ownerOf(copy: string | null): DetachedSession["owner"] {
  return copy === null ? null : userOf(copy.slice(copy.indexOf(" ", copy.indexOf(" ") + 1) + 1));
}

// What follows the tag in each id, and the session's text, in turns.
function sessionsOf(slotTag: string, answer: unknown): readonly Session[] {
  const turns = answer as readonly string[];
  const sessions: Session[] = [];
  for (let at = 0; at < turns.length; at += 2) {
    sessions.push(sessionOf(`${slotTag}${turns[at]}`, turns[at + 1] as string));
  }
  return sessions;
}

function batches<T>(list: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / batch) }, (_, at) =>
    list.slice(at * batch, (at + 1) * batch),
  );
}
