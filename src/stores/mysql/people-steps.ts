import { type MailRow, mailColumns, tierColumns } from "../people-rows.ts";
import { placeholders } from "../rows.ts";
import { type OwnPeopleSteps, sharedPeopleSteps } from "../sql/people-steps.ts";
import type { Queries } from "../sql/queries.ts";
import type { MailSteps, SealSteps, TierSteps } from "../sql/steps.ts";
import { inserted } from "./inserted.ts";
import { idsGiven, statement } from "./statement.ts";
import { jsonRows } from "./values.ts";

// By their ids, however small a table is: a scan would wait for rows that others have locked.
const seal = statement(`
  UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
    id VARCHAR(255) PATH '$[0]', seq BIGINT PATH '$[1]', chain_hash VARCHAR(1600) PATH '$[2]' ERROR ON ERROR
  )) AS sealed STRAIGHT_JOIN audit_events e FORCE INDEX (audit_events_id) ON e.id = UNHEX(sealed.id)
  SET e.seq = sealed.seq, e.chain_hash = CONVERT(UNHEX(sealed.chain_hash) USING utf8mb4)`);
const dropSealed = statement("DELETE FROM audit_events WHERE seq <= ? ORDER BY seq LIMIT ?");
const insertCursor = statement("INSERT INTO audit_cursors (name, seq) VALUES (?, ?)");
const insertTier = statement(`INSERT INTO tiers (${tierColumns}) VALUES (${placeholders(tierColumns)})`);
const dueMail = statement<MailRow>(`
  SELECT ${mailColumns} FROM outbox WHERE next_attempt_at <= ?
  ORDER BY next_attempt_at, id LIMIT ? FOR UPDATE SKIP LOCKED`);
const leaseMail = statement(`
  UPDATE ${idsGiven} STRAIGHT_JOIN outbox o FORCE INDEX (PRIMARY) ON o.id = UNHEX(given.id)
  SET o.attempts = o.attempts + 1, o.next_attempt_at = ?`);

const shared = sharedPeopleSteps({
  statement,
  at: () => "?",
  share: "LOCK IN SHARE MODE",
  keyShare: "LOCK IN SHARE MODE",
});

/** The steps about plans, the sealed audit log, and mail that is to be sent. */
export function peopleSteps(queries: Queries): SealSteps & TierSteps & MailSteps {
  const own: OwnPeopleSteps = {
    async sealAudit(seals) {
      await queries.run(seal, jsonRows(seals.map(({ id, seq, chainHash }) => [id, seq, chainHash])));
    },
    dropSealed: (throughSeq, limit) => queries.run(dropSealed, throughSeq, `${limit}`),
    insertCursor: (name, seq) => inserted(queries, insertCursor, [name, seq]),
    insertTier: (row) => inserted(queries, insertTier, row),
    async claimMail({ nowMs, limit, leasedUntilMs }) {
      const due = await queries.all(dueMail, nowMs, `${limit}`);
      if (due.length === 0) return [];
      await queries.run(leaseMail, jsonRows(due.map(([id]) => [id])), leasedUntilMs);
      return due.map(([id, purpose, userId, locale, detail, attempts, , createdAt]) => {
        return [id, purpose, userId, locale, detail, attempts + 1, leasedUntilMs, createdAt] as const;
      });
    },
  };
  return { ...shared(queries), ...own };
}
