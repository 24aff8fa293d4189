import type { OutboxMail } from "../../domain/outbox.ts";
import type { DirectoryStore } from "../../ports/directory-store.ts";
import { limitsText, mailColumns, mailOf, mailRow, tierColumns, tierRow } from "../people-rows.ts";
import { placeholders } from "../rows.ts";
import type { Prepare } from "./statement.ts";
import type { Handlers, PeopleStatements, WriteRun } from "./write-run.ts";

/** Prepares {@link PeopleStatements}. */
export function peopleStatements(prepare: Prepare): PeopleStatements {
  return {
    insertTier: prepare(`
      INSERT INTO tiers (${tierColumns}) VALUES (${placeholders(tierColumns)}) ON CONFLICT DO NOTHING`),
    updateTier: prepare(`
      UPDATE tiers SET limits = ?, version = version + 1, updated_at = ? WHERE name = ? AND version = ?`),
    deleteTier: prepare("DELETE FROM tiers WHERE name = ?"),
    tier: prepare("SELECT 1 FROM tiers WHERE name = ?"),
    anyoneIn: prepare("SELECT 1 FROM users WHERE tier = ? LIMIT 1"),
    insertMail: prepare(`INSERT INTO outbox (${mailColumns}) VALUES (${placeholders(mailColumns)})`),
    deleteMail: prepare("DELETE FROM outbox WHERE id = ?"),
    deleteMailTo: prepare("DELETE FROM outbox WHERE user_id = ?"),
    dueMail: prepare(`
      SELECT ${mailColumns} FROM outbox WHERE next_attempt_at <= ? ORDER BY next_attempt_at, id LIMIT ?`),
    leaseMail: prepare("UPDATE outbox SET attempts = ?, next_attempt_at = ? WHERE id = ?"),
    dropUsage: prepare(`
      DELETE FROM api_key_usage WHERE (key_id, hour, status_class, path) IN (
        SELECT key_id, hour, status_class, path FROM api_key_usage WHERE hour < ? ORDER BY hour LIMIT ?
      )`),
  };
}

/** The writes about tiers and mails; what each promises stands at `Write`. */
export const peopleHandlers: Pick<
  Handlers,
  "tier.insert" | "tier.update" | "tier.delete" | "tier.require" | "mail.insert" | "mail.delete"
> = {
  "tier.insert": ({ tier }, { statements }) =>
    statements.people.insertTier.run(...tierRow(tier)).changes === 1 ? null : "conflict",

  "tier.update": ({ name, version, limits }, { statements, now }) => {
    const { changes } = statements.people.updateTier.run(limitsText(limits), now.getTime(), name, version);
    return changes === 1 ? null : "conflict";
  },

  "tier.delete": ({ name }, { statements }) => {
    if (statements.people.deleteTier.run(name).changes === 0) return "conflict";
    return statements.people.anyoneIn.get(name) === undefined ? null : "tier_in_use";
  },

  "tier.require": ({ name }, { statements }) =>
    statements.people.tier.get(name) === undefined ? "conflict" : null,

  "mail.insert": ({ mail }, { statements }) => {
    statements.people.insertMail.run(...mailRow(mail));
    return null;
  },

  "mail.delete": ({ mailId }, { statements }) => {
    statements.people.deleteMail.run(mailId);
    return null;
  },
};

/** Takes the mails that are due. */
export function claimMail(
  { statements, now }: WriteRun,
  { limit, leasedUntil }: Parameters<DirectoryStore["claimMail"]>[0],
): readonly OutboxMail[] {
  const { dueMail, leaseMail } = statements.people;
  return dueMail.all(now.getTime(), limit).map((row) => {
    const mail = mailOf(row);
    const attempts = mail.attempts + 1;
    leaseMail.run(attempts, leasedUntil.getTime(), mail.id);
    return { ...mail, attempts, nextAttemptAt: new Date(leasedUntil) };
  });
}

/** Deletes usage of API keys in hours before `instant`; how many rows. */
export function dropUsage({ statements }: WriteRun, instant: Date, limit: number): number {
  return Number(statements.people.dropUsage.run(instant.getTime(), limit).changes);
}
