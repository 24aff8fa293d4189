import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { OutboxMail } from "../../domain/outbox.ts";
import type { Stores } from "../../ports/stores.ts";
import { faulty } from "../faulty.ts";
import { same } from "./same.ts";
import { addUser, committed, refused, write } from "./steps.ts";
import { type Rules, race, type Trial } from "./trial.ts";

const leaseMs = 60_000;

/** Claims what is due, for a minute. */
export async function claim(
  { stores, clock, call }: Trial,
  limit = 100,
  on: Stores = stores,
): Promise<readonly OutboxMail[]> {
  const leasedUntil = new Date(clock.now().getTime() + leaseMs);
  return on.directory.claimMail({ limit, leasedUntil }, call());
}

function ids(mails: readonly OutboxMail[]): readonly string[] {
  return mails.map(({ id }) => id);
}

/** Mail that is to be sent, one call at a time. */
export const outboxRules: Rules = {
  "a mail comes back as inserted, once more tried and leased": async (trial) => {
    const { make, clock } = trial;
    const user = await addUser(trial);
    const full = make.mail(user, {
      purpose: "new_device",
      locale: "pt-BR",
      detail: JSON.stringify({ where: 'é "🔑" \u0000 \'; --', long: "x".repeat(4_000) }),
      attempts: 3,
      createdAt: new Date(clock.now().getTime() - 86_400_123),
    });
    const empty = make.mail(null, { purpose: "registration_taken" });
    await committed(trial, [full, empty].map(write.mail));
    const nextAttemptAt = new Date(clock.now().getTime() + leaseMs);
    const claimed = await claim(trial);
    same(
      claimed.toSorted((a) => (a.id === full.id ? -1 : 1)),
      [
        { ...full, attempts: 4, nextAttemptAt },
        { ...empty, attempts: 1, nextAttemptAt },
      ],
    );
  },

  "what is due is claimed, the longest due first, up to the limit": async (trial) => {
    const { make, clock } = trial;
    const at = (seconds: number): Date => new Date(clock.now().getTime() + seconds * 1_000);
    const mails = [-5, 3, -10, 0, -7, 10].map((seconds) => make.mail(null, { nextAttemptAt: at(seconds) }));
    await committed(trial, mails.map(write.mail));
    const [fifth, , tenth, now, seventh] = mails;
    strictEqual((await claim(trial, 0)).length, 0);
    deepStrictEqual(ids(await claim(trial, 3)), ids([tenth, seventh, fifth].flatMap((mail) => mail ?? [])));
    deepStrictEqual(ids(await claim(trial, 3)), ids([now].flatMap((mail) => mail ?? [])));
    deepStrictEqual(ids(await claim(trial, 3)), []);
  },

  "a claimed mail is claimed again once its lease is over, and not before": async (trial) => {
    const mail = trial.make.mail(null);
    await committed(trial, [write.mail(mail)]);
    strictEqual((await claim(trial)).length, 1);
    trial.clock.advance(leaseMs / 1_000 - 1);
    strictEqual((await claim(trial)).length, 0);
    trial.clock.advance(1);
    const nextAttemptAt = new Date(trial.clock.now().getTime() + leaseMs);
    same(await claim(trial), [{ ...mail, attempts: 2, nextAttemptAt }]);
  },

  "a mail that was deleted is gone, claimed or not": async (trial) => {
    const [sent, waiting, kept] = [trial.make.mail(null), trial.make.mail(null), trial.make.mail(null)];
    await committed(trial, [write.mail(sent)]);
    await claim(trial);
    await committed(trial, [write.mail(waiting), write.mail(kept)]);
    await committed(trial, [
      write.unsend(sent),
      write.unsend(waiting),
      write.unsend(waiting),
      write.unsend({ id: "x" }),
    ]);
    trial.clock.advance(leaseMs / 1_000);
    deepStrictEqual(ids(await claim(trial)), [kept.id]);
  },

  "mail is there with the transaction that it belongs to, or not at all": async (trial) => {
    const [first, second] = [trial.make.mail(null), trial.make.mail(null)];
    await addUser(trial);
    await refused(trial, [write.mail(first), { kind: "directory.require_empty" }], "first_user_exists");
    strictEqual((await claim(trial)).length, 0);
    await committed(trial, [write.mail(first)]);
    await refused(
      trial,
      [write.unsend(first), write.mail(second), { kind: "directory.require_empty" }],
      "first_user_exists",
    );
    deepStrictEqual(ids(await claim(trial)), [first.id]);
  },

  "erasing a user takes the mail to them, and nobody else's": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const mails = [user, other, null].map((to) => trial.make.mail(to));
    await committed(trial, mails.map(write.mail));
    await committed(trial, [write.erase(user.id), write.erase("nobody")]);
    deepStrictEqual([...ids(await claim(trial))].sort(), ids(mails.slice(1)).toSorted());
  },

  "a mail of an id that is there does not replace it: the transaction fails or is refused": async (trial) => {
    const mail = trial.make.mail(null);
    await committed(trial, [write.mail(mail)]);
    const again = { ...mail, detail: "another" };
    const outcome = await trial.stores.directory.commit([write.mail(again)], trial.call()).then(
      ({ ok }) => ok,
      () => false,
    );
    strictEqual(outcome, false);
    deepStrictEqual(
      (await claim(trial)).map(({ detail }) => detail),
      [null],
    );
  },
};

/** Mail under concurrent senders. */
export const outboxRaces: Rules = {
  "of many senders each mail is answered to one": async (trial) => {
    const mails = Array.from({ length: 60 }, () => trial.make.mail(null));
    await committed(trial, mails.map(write.mail));
    const claimed = await race(trial, 30, (stores) => claim(trial, 4, stores));
    // Who finds another at work may come away with less: what is left goes to who asks next.
    const rest: OutboxMail[] = [];
    for (let tries = 0; tries < mails.length; tries++) rest.push(...(await claim(trial, 7)));
    const given = [...claimed.flat(), ...rest];
    deepStrictEqual([...ids(given)].sort(), ids(mails).toSorted());
    deepStrictEqual(new Set(given.map(({ attempts }) => attempts)), new Set([1]));
  },

  "mail that is written while others claim is claimed in its turn": async (trial) => {
    const mails = Array.from({ length: 40 }, () => trial.make.mail(null));
    const claimed = await race(trial, 40, async (stores, index) => {
      await committed(trial, mails.slice(index, index + 1).map(write.mail), stores);
      return claim(trial, 2, stores);
    });
    const given = [...claimed.flat(), ...(await claim(trial))];
    deepStrictEqual([...ids(given)].sort(), ids(mails).toSorted());
  },
};

/** Senders that die. */
export const outboxFaults: Rules = {
  "mail whose claim got lost on the way is claimed again once its lease is over": async (trial) => {
    const mail = trial.make.mail(null);
    await committed(trial, [write.mail(mail)]);
    const losing = faulty(trial.stores, () => "lose_answer");
    await rejects(claim(trial, 9, losing));
    const refusing = faulty(trial.stores, () => "refuse");
    await rejects(claim(trial, 9, refusing));
    strictEqual((await claim(trial)).length, 0);
    trial.clock.advance(leaseMs / 1_000);
    deepStrictEqual(
      (await claim(trial)).map(({ id, attempts }) => [id, attempts]),
      [[mail.id, 2]],
    );
  },
};

/** Mail past a restart. */
export const outboxDurability: Rules = {
  "mail that was written is sent by the next process, and what was claimed after its lease": async (
    trial,
  ) => {
    const [claimed, waiting] = [trial.make.mail(null), trial.make.mail(null)];
    await committed(trial, [write.mail(claimed)]);
    await claim(trial);
    await committed(trial, [write.mail(waiting)]);
    const stores = await trial.reopen();
    deepStrictEqual(ids(await claim(trial, 9, stores)), [waiting.id]);
    trial.clock.advance(leaseMs / 1_000);
    deepStrictEqual([...ids(await claim(trial, 9, stores))].sort(), [claimed.id, waiting.id].sort());
  },
};
