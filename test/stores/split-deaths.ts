import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Session } from "../../src/domain/session.ts";
import type { User } from "../../src/domain/user.ts";
import type { DetachedSessions } from "../../src/ports/detached-sessions.ts";
import type { Report, StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { split } from "../../src/stores/split.ts";
import { auditQuery } from "../../src/testing/queries.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";
import { mortal } from "./dying.ts";

/** Two engines that outlive the processes that work on them. */
export interface Engines {
  readonly directory: Stores;
  readonly sessions: DetachedSessions;
}

interface Scene {
  readonly user: User;
  /** Two of the user's sessions, known to the engine and to a check. */
  readonly first: Session;
  readonly second: Session;
  readonly visitor: Session;
  /** What the flow adds; nobody has its secret unless the flow was acknowledged. */
  readonly added: Session;
  readonly make: ReturnType<typeof fixtures>;
  call(): StoreCall;
}

/** What a flow does, and what must hold whenever its process dies; `isDone` says whether the directory has committed it. */
export interface Flow {
  writes(scene: Scene): readonly Write[];
  /** Ids of sessions that have ended if and only if the flow is done. */
  ends(scene: Scene): readonly string[];
  /** Ids of sessions that nothing of this may end. */
  leaves(scene: Scene): readonly string[];
}

const row = ({ make }: Scene, type: "session.revoked" | "password.changed", sessionId: string | null) =>
  make.auditRow({ type, sessionId });

const reported =
  (scene: Scene): Report =>
  (ended) =>
    ended.map(({ id }) => row(scene, "session.revoked", id));

const done = (scene: Scene): Write => ({
  kind: "audit.insert",
  row: scene.make.auditRow({ type: "user.updated", userId: scene.user.id, sessionId: null }),
});

/** The flows that touch both engines. */
export const flows: Readonly<Record<string, Flow>> = {
  "a sign-out": {
    writes: (scene) => [
      { kind: "session.delete", sessionId: scene.first.id, ended: reported(scene) },
      done(scene),
    ],
    ends: ({ first }) => [first.id],
    leaves: ({ second }) => [second.id],
  },
  "the end of all sessions": {
    writes: (scene) => [
      { kind: "user.advance", userId: scene.user.id, from: scene.user.generation },
      { kind: "session.delete_all", userId: scene.user.id, except: null, ended: reported(scene) },
      done(scene),
    ],
    ends: ({ first, second }) => [first.id, second.id],
    leaves: () => [],
  },
  "a change of the password that keeps the session under a new id": {
    writes: (scene) => [
      { kind: "user.advance", userId: scene.user.id, from: scene.user.generation },
      { kind: "session.rotate", from: scene.first.id, session: scene.added },
      { kind: "session.delete_all", userId: scene.user.id, except: scene.added.id, ended: reported(scene) },
      done(scene),
    ],
    ends: ({ first, second }) => [first.id, second.id],
    leaves: () => [],
  },
  "an account that is disabled": {
    writes: (scene) => [
      {
        kind: "user.update",
        userId: scene.user.id,
        version: scene.user.version,
        changes: { status: "disabled" },
      },
      done(scene),
    ],
    ends: ({ first, second }) => [first.id, second.id],
    leaves: () => [],
  },
  "a refresh": {
    writes: (scene) => [
      { kind: "user.require", userId: scene.user.id, generation: scene.user.generation },
      {
        kind: "session.refresh",
        sessionId: scene.first.id,
        from: null,
        family: scene.make.refreshFamily(),
      },
      done(scene),
    ],
    ends: () => [],
    leaves: ({ first, second }) => [first.id, second.id],
  },
  "a sign-in past the cap, over another session of the browser": {
    writes: (scene) => [
      { kind: "user.require", userId: scene.user.id, generation: scene.user.generation },
      {
        kind: "session.replace",
        replaces: scene.first.id,
        ended: reported(scene),
        session: scene.added,
        cap: 2,
        evicted: reported(scene),
      },
      done(scene),
    ],
    ends: ({ first }) => [first.id],
    leaves: ({ second }) => [second.id],
  },
};

/**
 * Runs a flow once for every call that it makes to either engine, and lets its process die there. Another process then looks,
 * twice, so that what the first look repaired counts too.
 *
 * @returns how many deaths were tried
 */
export async function dieEverywhere(flow: Flow, open: () => Promise<Engines>): Promise<number> {
  let deaths = 0;
  for (const isAnswerLost of [false, true]) {
    for (let at = 0; ; at++) {
      const engines = await open();
      const process = mortal({ at, isAnswerLost });
      const scene = await prepared(engines);
      const dying = split({
        ...engines.directory,
        directory: process.directory(engines.directory.directory),
        sessions: process.sessions(engines.sessions),
      });
      const outcome = await dying.directory.commit(flow.writes(scene), scene.call()).catch(() => null);
      await dying.sessions.close();
      await verify(
        flow,
        scene,
        split({ ...engines.directory, sessions: engines.sessions }),
        outcome !== null,
      );
      if (!process.isDead) {
        ok(outcome?.ok === true && at > 0, "a flow that nobody interrupts succeeds");
        break;
      }
      deaths++;
    }
  }
  return deaths;
}

async function prepared({ directory, sessions }: Engines): Promise<Scene> {
  const clock = testClock();
  const make = fixtures(clock);
  const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
  const user = make.user();
  const [first, second, visitor] = [make.session(user), make.session(user), make.session(null)];
  const added = make.session(user, { rotatedFrom: first.id });
  const stores = split({ ...directory, sessions });
  const writes: readonly Write[] = [
    { kind: "user.insert", user },
    { kind: "password.insert", credential: make.password(user) },
    ...[first, second, visitor].map(
      (session): Write => ({ kind: "session.insert", session, cap: 0, evicted: () => [] }),
    ),
  ];
  ok((await stores.directory.commit(writes, call())).ok);
  // Twice: from the second time on the session engine answers with its copy of the user.
  for (let look = 0; look < 2; look++) strictEqual(await isAccepted(stores, first.id, call()), true);
  return { user, first, second, visitor, added, make, call };
}

async function verify(flow: Flow, scene: Scene, after: Stores, isAcknowledged: boolean): Promise<void> {
  const rows = await after.directory.auditRows(auditQuery({ userId: scene.user.id, limit: 9 }), scene.call());
  const isDone = rows.some(({ type }) => type === "user.updated");
  if (isAcknowledged) ok(isDone, "what was acknowledged is in the directory");
  for (let look = 0; look < 2; look++) {
    for (const id of flow.ends(scene)) {
      strictEqual(
        await isAccepted(after, id, scene.call()),
        !isDone,
        "ended, if and only if the directory says so",
      );
    }
    for (const id of flow.leaves(scene)) strictEqual(await isAccepted(after, id, scene.call()), true);
    const isActive = (await after.directory.user(scene.user.id, scene.call()))?.status === "active";
    const listed = isActive ? await after.sessions.list(scene.user.id, scene.call()) : [];
    for (const { id } of listed)
      ok(!isDone || !flow.ends(scene).includes(id), "an ended session is not listed");
  }
  const reports = (await after.directory.auditRows(auditQuery({ limit: 99 }), scene.call()))
    .filter(({ type }) => type === "session.revoked")
    .map(({ sessionId }) => sessionId);
  deepStrictEqual(reports.length, new Set(reports).size, "each end is reported once at most");
}

async function isAccepted(stores: Stores, id: string, call: StoreCall): Promise<boolean> {
  const [found] = await stores.sessions.find([id], call);
  if (found == null || found.expired) return false;
  const { session, user } = found;
  return user?.status === "active" && user.generation === session.generation;
}
