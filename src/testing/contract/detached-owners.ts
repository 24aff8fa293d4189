import { strictEqual } from "node:assert/strict";
import type { User } from "../../domain/user.ts";
import type { OwnerRecords } from "../../ports/detached-sessions.ts";
import { type DetachedRules, type DetachedTrial, keyOf } from "./detached-trial.ts";
import { same } from "./same.ts";

/** A rule for engines that keep copies of users; for the others there is nothing to keep. */
function ofRecords(
  rule: (trial: DetachedTrial, both: readonly [OwnerRecords, OwnerRecords], user: User) => Promise<void>,
): DetachedRules[string] {
  return async (trial) => {
    const [first, second] = [trial.sessions.owners, trial.other.owners];
    if (first === null || second === null) return strictEqual(first, second);
    const revokedTokens = [{ tokenId: "t", expiresAt: trial.clock.now() }];
    const data = { "a.b": ["é", null] } as User["data"];
    const user = trial.make.user({ data, roles: ["editor"], revokedTokens });
    await trial.sessions.insert(trial.make.session(user, { id: sessionId(user) }), 0, trial.call());
    return rule(trial, [first, second], user);
  };
}

const sessionId = ({ slotTag }: User): string => slotTag + "s".repeat(16);

/** What a check finds of the user beside their session, and the engine's clock. */
async function copy(trial: DetachedTrial, user: User, handle = trial.sessions) {
  const [found] = await handle.find([sessionId(user)], trial.call());
  if (found == null) throw new Error("the session is not there");
  return found;
}

/** Copies of users: who may publish one, and when it is no answer. */
export const ownerRules: DetachedRules = {
  "what was published is answered by every handle, and a user never published is not": ofRecords(
    async (trial, [records], user) => {
      const before = await copy(trial, user);
      strictEqual(before.owner, null);
      await records.publish(user, { fence: null, readAtMs: before.readAtMs }, trial.call());
      for (const handle of [trial.sessions, trial.other]) same((await copy(trial, user, handle)).owner, user);
    },
  ),

  "a copy is the user's alone, even beside one with the same slot tag, and no visitor's": ofRecords(
    async (trial, [records], user) => {
      const twin = trial.make.user({ slotTag: user.slotTag });
      const [theirs, visitor] = [trial.make.session(twin), trial.make.session(null)];
      for (const session of [theirs, visitor]) await trial.sessions.insert(session, 0, trial.call());
      const { readAtMs } = await copy(trial, user);
      await records.publish(user, { fence: null, readAtMs }, trial.call());
      const found = await trial.sessions.find([theirs.id, visitor.id], trial.call());
      for (const one of found) strictEqual(one?.owner, null);
    },
  ),

  "a fence takes the copy away at once, for every handle, and keeps others from publishing": ofRecords(
    async (trial, [records, others], user) => {
      const { readAtMs } = await copy(trial, user);
      await records.publish(user, { fence: null, readAtMs }, trial.call());
      await records.fence(keyOf(user), "mine", trial.call());
      for (const handle of [trial.sessions, trial.other])
        strictEqual((await copy(trial, user, handle)).owner, null);
      const later = (await copy(trial, user)).readAtMs;
      await others.publish(user, { fence: null, readAtMs: later }, trial.call());
      strictEqual((await copy(trial, user)).owner, null);
      const changed = { ...user, version: user.version + 1, generation: user.generation + 1 };
      await records.publish(changed, { fence: "mine", readAtMs: null }, trial.call());
      for (const handle of [trial.sessions, trial.other])
        same((await copy(trial, user, handle)).owner, changed);
    },
  ),

  "with two fences up, only the last to go may leave a copy": ofRecords(
    async (trial, [first, second], user) => {
      await first.fence(keyOf(user), "one", trial.call());
      await second.fence(keyOf(user), "two", trial.call());
      await first.publish({ ...user, version: 2 }, { fence: "one", readAtMs: null }, trial.call());
      strictEqual((await copy(trial, user)).owner, null);
      await second.publish({ ...user, version: 3 }, { fence: "two", readAtMs: null }, trial.call());
      strictEqual((await copy(trial, user)).owner?.version, 3);
    },
  ),

  "a lifted fence leaves no copy and is in nobody's way": ofRecords(async (trial, [records], user) => {
    await records.fence(keyOf(user), "mine", trial.call());
    await records.lift(keyOf(user), "mine", trial.call());
    await records.lift(keyOf(user), "absent", trial.call());
    const { owner, readAtMs } = await copy(trial, user);
    strictEqual(owner, null);
    await records.publish(user, { fence: null, readAtMs }, trial.call());
    same((await copy(trial, user)).owner, user);
  }),

  "an older version never takes the place of a newer one": ofRecords(async (trial, [records], user) => {
    const { readAtMs } = await copy(trial, user);
    const reading = { fence: null, readAtMs };
    await records.publish({ ...user, version: 5, name: "new" }, reading, trial.call());
    await records.publish({ ...user, version: 4, name: "old" }, reading, trial.call());
    strictEqual((await copy(trial, user)).owner?.name, "new");
  }),

  "a reading of long ago is not published": ofRecords(async (trial, [records], user) => {
    const { readAtMs } = await copy(trial, user);
    await records.publish(user, { fence: null, readAtMs: readAtMs - 31_000 }, trial.call());
    strictEqual((await copy(trial, user)).owner, null);
  }),

  "forgetting a user takes the copy away, known or not": ofRecords(async (trial, [records, others], user) => {
    const { readAtMs } = await copy(trial, user);
    await records.publish(user, { fence: null, readAtMs }, trial.call());
    await others.forget(user.id, trial.call());
    await others.forget("nobody", trial.call());
    strictEqual((await copy(trial, user)).owner, null);
    await records.publish(user, { fence: null, readAtMs }, trial.call());
    strictEqual((await copy(trial, user)).owner, null);
  }),
};
