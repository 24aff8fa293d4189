import { type ClientLimit, clientLimits } from "../../domain/client-limits.ts";
import type { Session, SessionBag } from "../../domain/session.ts";
import { AuthError } from "../../errors.ts";
import type { SessionChange } from "../../ports/change.ts";
import type { Services } from "../../ports/services.ts";
import type { SessionData, Visit } from "../../ports/session-data.ts";
import { takeLimit } from "../attempts.ts";
import { carry, draftSession } from "../sign-in/start-session.ts";
import { findSession } from "./find-session.ts";

/** The whole bag as JSON, in bytes. */
export const bagMaxBytes = 4_096;
/** New visitor sessions of one client: bags are rows, and rows are what a flood would leave. */
const visits: ClientLimit = { name: "visit", limit: 60, windowSeconds: 3_600 };
const mostTries = 8;

/** The data bag of one request's session. */
export function sessionData(services: Services, found: Session | null, visit: Visit): SessionData {
  let session = found;
  let change: SessionChange | null = null;
  let last: Promise<void> = Promise.resolve();

  // One after another: two first writes of one request would start two sessions, and one of them would be lost.
  function write(edit: (bag: SessionBag) => SessionBag): Promise<void> {
    const written = last.then(() => writeNow(edit));
    last = written.catch(() => undefined);
    return written;
  }

  async function writeNow(edit: (bag: SessionBag) => SessionBag): Promise<void> {
    if (services.sealedSessions !== null)
      throw new TypeError("session.set: stateless sessions hold no data; use stateful ones");
    if (session === null) return startVisit(edit);
    for (let tries = 0; tries < mostTries; tries++) {
      const data = checked(edit(session.data));
      const result = await services.commit([
        { kind: "session.set_data", sessionId: session.id, dataVersion: session.dataVersion, data },
      ]);
      if (result.ok) {
        session = { ...session, data, dataVersion: session.dataVersion + 1 };
        return;
      }
      // Another request of this session wrote first, or the session ended: a slow request never brings it back.
      const current = await findSession(services, session.id);
      if (current === null) throw new AuthError("session_expired");
      session = current.session;
    }
    throw new AuthError("conflict");
  }

  async function startVisit(edit: (bag: SessionBag) => SessionBag): Promise<void> {
    if (visit.method === "GET" || visit.method === "HEAD") {
      throw new TypeError("session.set: a GET creates no session; write session data in a POST");
    }
    const data = checked(edit({}));
    if (Object.keys(data).length === 0) return;
    visit.assertOrigin();
    const from = visit.from();
    const sign = (text: string): Uint8Array => services.keys.sign("identifier", text);
    await takeLimit(services, clientLimits(visits, from.ip, sign), from);
    const draft = draftSession(services, {
      user: null,
      generation: 0,
      amr: [],
      authTime: null,
      isRemembered: false,
      from,
      replaces: null,
      data,
    });
    const event = {
      type: "session.started" as const,
      userId: null,
      sessionId: draft.session.id,
      payload: { isVisitor: true },
    };
    await services.commit([
      { kind: "session.insert", session: draft.session, cap: 0, evicted: () => [] },
      { kind: "audit.insert", row: services.events.row(event, from) },
    ]);
    session = draft.session;
    change = carry(services, draft);
  }

  return {
    get id() {
      return session?.id ?? null;
    },
    get change() {
      return change;
    },
    get: (key) => (session !== null && Object.hasOwn(session.data, key) ? session.data[key] : undefined),
    set: (key, value) => write((bag) => withEntry(bag, key, value)),
    delete: (key) => write((bag) => Object.fromEntries(Object.entries(bag).filter(([name]) => name !== key))),
    clear: () => write(() => ({})),
  };
}

function withEntry(bag: SessionBag, key: string, value: unknown): SessionBag {
  const json = JSON.stringify(value);
  if (json === undefined) throw new TypeError(`session.set("${key}"): only what JSON can hold`);
  // Entries and not assignment: the key `__proto__` is data like any other.
  return Object.fromEntries([
    ...Object.entries(bag).filter(([name]) => name !== key),
    [key, JSON.parse(json)],
  ]);
}

function checked(bag: SessionBag): SessionBag {
  if (Buffer.byteLength(JSON.stringify(bag)) > bagMaxBytes) {
    throw new AuthError("payload_too_large", { message: "Session data holds at most 4 KiB." });
  }
  return bag;
}
