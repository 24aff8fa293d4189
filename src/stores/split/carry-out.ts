import type { AuditRow } from "../../domain/audit.ts";
import type { Session } from "../../domain/session.ts";
import type { SessionOwner } from "../../ports/directory-store.ts";
import type { Committed, Report, StoreCall, Write } from "../../ports/store.ts";
import type { Halves } from "./halves.ts";
import { leftBehind, ownerKey } from "./owners.ts";
import { handsOver, type Part, type Step } from "./plan.ts";

/** A transaction that the directory has committed. */
interface Run {
  readonly halves: Halves;
  readonly call: StoreCall;
  /** Ids of the sessions whose end this transaction put on record. */
  readonly won: ReadonlySet<string>;
  readonly ended: Session[];
  readonly reported: AuditRow[];
}

/**
 * Does in the session engine what the directory has committed.
 *
 * @throws where the session engine fails. What the directory has committed stays: ended sessions have ended, since every check
 * that could still find one asks the directory.
 */
export async function carryOut(
  parts: readonly Part[],
  committed: Extract<Committed, { ok: true }>,
  context: Pick<Run, "halves" | "call">,
): Promise<Committed> {
  const steps = parts.flatMap(({ step }) => step ?? []);
  const rotated = new Set(steps.flatMap((step) => (step.kind === "rotate" ? [step.from.id] : [])));
  const run: Run = {
    ...context,
    won: new Set(committed.ended.map(({ id }) => id)),
    // A session that goes on under a new id has not ended.
    ended: committed.ended.filter(({ id }) => !rotated.has(id)),
    reported: [...committed.reported],
  };
  for (const step of steps) await carryOutOne(step, run);
  return { ok: true, ended: run.ended, reported: run.reported };
}

async function carryOutOne(step: Step, run: Run): Promise<void> {
  const { sessions } = run.halves;
  switch (step.kind) {
    case "insert":
      return insert(step, run);
    case "replace": {
      const before =
        step.before !== null && run.won.has(step.before.id) ? await takeOne(step.before, run) : null;
      const data = handsOver(before, step.session, run.call.now) ? before.data : step.session.data;
      return insert({ ...step, session: { ...step.session, data } }, run);
    }
    case "rotate": {
      const from = await takeOne(step.from, run);
      // Gone since the plan was made, by the cap or by the engine: what would follow it would be one too many.
      if (from === null) return;
      return insert({ session: { ...step.session, data: from.data }, ...step.limit }, run);
    }
    case "take":
      await sessions.take(wonOf(step.sessions, run), run.call);
      return;
    case "take_all":
      return takeAll(step, run);
    case "session.set_data":
      if (await sessions.setData(step, run.call)) return;
      throw new Error("somebody else wrote the session's data in the meantime");
    case "session.refresh":
      if (await sessions.refresh(step, run.call)) return;
      throw new Error("somebody else used the session's refresh token in the meantime");
  }
}

// Sessions that sign-ins added since the plan was made are of a generation that has passed; nobody reports those.
async function takeAll({ key, sessions }: Extract<Step, { kind: "take_all" }>, run: Run) {
  const { halves, call } = run;
  const all = await halves.sessions.list(key, call);
  const there = all.map(({ id }) => id);
  const owner = await halves.directory.sessionOwner(key.userId, there, call);
  const past = owner === null ? there : pastOf(all, owner);
  await halves.sessions.take([...new Set([...wonOf(sessions, run), ...past])], call);
}

// What is on record has ended by another transaction, which may be about to hand its data on.
function pastOf(sessions: readonly Session[], { user, revoked }: SessionOwner): readonly string[] {
  const onRecord = new Set(revoked.map(({ sessionId }) => sessionId));
  const past = sessions.filter(({ id, generation }) => generation < user.generation && !onRecord.has(id));
  return past.map(({ id }) => id);
}

// What another transaction has ended is for that one to take: it may be about to hand its data on.
function wonOf(sessions: readonly Session[], { won }: Run): readonly string[] {
  return sessions.map(({ id }) => id).filter((id) => won.has(id));
}

async function takeOne({ id }: Session, { halves, call }: Run): Promise<Session | null> {
  const [taken] = await halves.sessions.take([id], call);
  return taken ?? null;
}

async function insert(
  { session, cap, evicted }: { readonly session: Session; readonly cap: number; readonly evicted: Report },
  { halves, call, ended, reported }: Run,
): Promise<void> {
  await makeRoom(session, cap, { halves, call });
  const gone = await halves.sessions.insert(session, cap, call);
  await takeBackIfEnded(session, { halves, call });
  const writes = gone.length > 0 ? [revoked(gone, evicted)] : evicted([]).map(inserted);
  if (writes.length === 0) return;
  const result = await halves.directory.commit(writes, call);
  if (!result.ok) throw new Error(`the record of an eviction was refused: ${result.refused}`);
  ended.push(...result.ended);
  reported.push(
    ...result.reported,
    ...writes.flatMap((write) => (write.kind === "audit.insert" ? write.row : [])),
  );
}

// The engine counts what lies there: an ended session whose deletion failed would cost a live one its place.
async function makeRoom(
  { id, userId }: Session,
  cap: number,
  { halves, call }: Pick<Run, "halves" | "call">,
): Promise<void> {
  if (userId === null || cap === 0) return;
  const there = await halves.sessions.list(ownerKey({ id, userId }), call);
  if (there.length < cap) return;
  const ids = there.map((each) => each.id);
  const owner = await halves.directory.sessionOwner(userId, ids, call);
  if (owner !== null) await halves.sessions.take(leftBehind(owner, call), call);
}

// Somebody may have ended all sessions of the user between the directory's commit and the insert. The session is refused
// by its generation anyway; it is not left to lie. Nor is one that was ended, where a driver sent the insert again.
async function takeBackIfEnded(
  { id, userId, generation }: Session,
  { halves, call }: Pick<Run, "halves" | "call">,
): Promise<void> {
  if (userId === null) return;
  const owner = await halves.directory.sessionOwner(userId, [id], call);
  if (owner === null) return;
  const hasEnded = owner.user.generation > generation || owner.revoked.length > 0;
  if (hasEnded) await halves.sessions.take([id], call);
}

function revoked(sessions: readonly Session[], ended: Report): Write {
  return { kind: "session.revoke", sessions, requires: "any", ended };
}

function inserted(row: AuditRow): Write {
  return { kind: "audit.insert", row };
}
