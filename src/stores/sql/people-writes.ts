import { checkpointRow, limitsText, mailRow, tierRow } from "../people-rows.ts";
import type { Handlers } from "./run.ts";

/** The writes about plans, the sealed audit log and mail; what each promises stands at `Write`. */
export const peopleHandlers: Pick<
  Handlers,
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
  "audit.checkpoint": async ({ checkpoint }, { steps }) => {
    const { seq, chainHash } = checkpoint;
    if (!(await steps.mayCheckpoint(seq, chainHash))) return "conflict";
    await steps.insertCheckpoint(checkpointRow(checkpoint));
    return null;
  },

  "cursor.move": async ({ name, from, to }, { steps }) => {
    const isMoved = from === null ? steps.insertCursor(name, to) : steps.moveCursor(name, from, to);
    return (await isMoved) ? null : "conflict";
  },

  "cursor.delete": async ({ name }, { steps }) => {
    await steps.deleteCursor(name);
    return null;
  },

  "tier.insert": async ({ tier }, { steps }) => ((await steps.insertTier(tierRow(tier))) ? null : "conflict"),

  "tier.update": async ({ name, version, limits }, { steps, now }) => {
    const change = { name, version, limits: limitsText(limits), nowMs: now.getTime() };
    return (await steps.updateTier(change)) ? null : "conflict";
  },

  // Deleting waits for those who hold it; what they wrote by then is seen. A refusal undoes it.
  "tier.delete": async ({ name }, { steps }) => {
    if (!(await steps.deleteTier(name))) return "conflict";
    return (await steps.hasUsersIn(name)) ? "tier_in_use" : null;
  },

  "tier.require": async ({ name }, { steps }) => ((await steps.holdTier(name)) ? null : "conflict"),

  "mail.insert": async ({ mail }, { steps }) => {
    await steps.insertMail(mailRow(mail));
    return null;
  },

  "mail.delete": async ({ mailId }, { steps }) => {
    await steps.deleteMail(mailId);
    return null;
  },
};
