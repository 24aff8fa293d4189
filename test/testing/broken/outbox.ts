import type { OutboxMail } from "../../../src/domain/outbox.ts";
import type { Write } from "../../../src/ports/store.ts";
import { type Broken, brokenDirectory as broken, rewriting } from "./broken.ts";

/** An outbox whose claimed mails are changed. */
function claiming(
  mistake: string,
  caughtBy: string,
  change: (mails: readonly OutboxMail[]) => readonly OutboxMail[],
): Broken {
  return broken(mistake, caughtBy, ({ claimMail }) => ({
    claimMail: async (claim, call) => change(await claimMail(claim, call)),
  }));
}

export const brokenOutboxes: readonly Broken[] = [
  claiming("details are cut", "a mail comes back as inserted, once more tried and leased", (mails) =>
    mails.map((mail) => ({ ...mail, detail: mail.detail?.slice(0, 255) ?? null })),
  ),
  claiming("tries are not counted", "a mail comes back as inserted, once more tried and leased", (mails) =>
    mails.map((mail) => ({ ...mail, attempts: 0 })),
  ),
  claiming(
    "what was written last is sent first",
    "what is due is claimed, the longest due first, up to the limit",
    (mails) => [...mails].reverse(),
  ),
  broken(
    "everything is due",
    "what is due is claimed, the longest due first, up to the limit",
    ({ claimMail }) => ({
      claimMail: (claim, call) => claimMail(claim, { ...call, now: new Date(call.now.getTime() + 9_000) }),
    }),
  ),
  broken(
    "a claim is no lease",
    "a claimed mail is claimed again once its lease is over, and not before",
    ({ claimMail }) => ({
      claimMail: (claim, call) => claimMail({ ...claim, leasedUntil: call.now }, call),
    }),
  ),
  broken(
    "a lease ends an instant late",
    "a claimed mail is claimed again once its lease is over, and not before",
    ({ claimMail }) => ({
      claimMail: ({ limit, leasedUntil }, call) =>
        claimMail({ limit, leasedUntil: new Date(leasedUntil.getTime() + 1) }, call),
    }),
  ),
  broken(
    "a claimed mail cannot be deleted",
    "a mail that was deleted is gone, claimed or not",
    ({ claimMail, commit }) => {
      const claimed = new Set<string>();
      return {
        async claimMail(claim, call) {
          const mails = await claimMail(claim, call);
          for (const { id } of mails) claimed.add(id);
          return mails;
        },
        commit: (writes, call) =>
          commit(
            writes.filter((write) => write.kind !== "mail.delete" || !claimed.has(write.mailId)),
            call,
          ),
      };
    },
  ),
  broken(
    "mail is written beside the transaction",
    "mail is there with the transaction that it belongs to, or not at all",
    ({ commit }) => ({
      async commit(writes, call) {
        const isMail = ({ kind }: Write): boolean => kind === "mail.insert";
        if (writes.some(isMail)) await commit(writes.filter(isMail), call);
        return commit(
          writes.filter((write) => !isMail(write)),
          call,
        );
      },
    }),
  ),
  rewriting(
    "nobody knows whose a mail is",
    "erasing a user takes the mail to them, and nobody else's",
    (write) =>
      write.kind === "mail.insert" ? [{ ...write, mail: { ...write.mail, userId: null } }] : [write],
  ),
  rewriting(
    "a mail takes the place of another",
    "a mail of an id that is there does not replace it: the transaction fails or is refused",
    (write) =>
      write.kind === "mail.insert" ? [{ kind: "mail.delete", mailId: write.mail.id }, write] : [write],
  ),
  broken(
    "two who claim at once get one answer",
    "of many senders each mail is answered to one",
    ({ claimMail }) => {
      let underWay: Promise<readonly OutboxMail[]> | null = null;
      return {
        claimMail(claim, call) {
          underWay ??= claimMail(claim, call).finally(() => {
            underWay = null;
          });
          return underWay;
        },
      };
    },
  ),
  broken(
    "who is second in claiming gets nothing, for ever",
    "mail that is written while others claim is claimed in its turn",
    ({ claimMail }) => {
      let claims = 0;
      return {
        async claimMail(claim, call) {
          const mails = await claimMail(claim, call);
          return ++claims % 2 === 0 ? [] : mails;
        },
      };
    },
  ),
  broken(
    "a claim takes mails out",
    "mail whose claim got lost on the way is claimed again once its lease is over",
    ({ claimMail, commit }) => ({
      async claimMail(claim, call) {
        const mails = await claimMail(claim, call);
        await commit(
          mails.map(({ id }) => ({ kind: "mail.delete", mailId: id })),
          call,
        );
        return mails;
      },
    }),
  ),
];
