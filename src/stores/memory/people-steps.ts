import type { Steps } from "./transaction.ts";

/** The steps about tiers, mails, checkpoints and cursors. */
export const peopleSteps: Pick<
  Steps,
  | "audit.checkpoint"
  | "cursor.move"
  | "cursor.delete"
  | "tier.insert"
  | "tier.update"
  | "tier.delete"
  | "tier.require"
  | "mail.insert"
  | "mail.delete"
> = {
  "audit.checkpoint": ({ checkpoint }, { tables }) => {
    const newest = tables.checkpoints.newest();
    if (newest !== null && newest.seq >= checkpoint.seq) return "conflict";
    if (tables.audit.chainHash(checkpoint.seq) !== checkpoint.chainHash) return "conflict";
    tables.checkpoints.add(checkpoint);
    return null;
  },
  "cursor.move": ({ name, from, to }, { tables }) => {
    if ((tables.cursors.get(name) ?? null) !== from) return "conflict";
    tables.cursors.set(name, to);
    return null;
  },
  "cursor.delete": ({ name }, { tables }) => {
    tables.cursors.delete(name);
    return null;
  },
  "tier.insert": ({ tier }, { tables }) => {
    if (tables.tiers.get(tier.name) !== null || tables.tiers.hasId(tier.id)) return "conflict";
    tables.tiers.put(tier);
    return null;
  },
  "tier.update": ({ name, version, limits }, { tables, now }) => {
    const tier = tables.tiers.get(name);
    if (tier?.version !== version) return "conflict";
    tables.tiers.put({ ...tier, limits, version: version + 1, updatedAt: now });
    return null;
  },
  "tier.delete": ({ name }, { tables }) => {
    if (tables.tiers.get(name) === null) return "conflict";
    if (tables.users.isInTier(name)) return "tier_in_use";
    tables.tiers.delete(name);
    return null;
  },
  "tier.require": ({ name }, { tables }) => (tables.tiers.get(name) === null ? "conflict" : null),
  "mail.insert": ({ mail }, { tables }) => {
    tables.outbox.insert(mail);
    return null;
  },
  "mail.delete": ({ mailId }, { tables }) => {
    tables.outbox.delete(mailId);
    return null;
  },
};
