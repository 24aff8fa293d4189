import { type MailRow, mailColumns, tierColumns } from "../people-rows.ts";
import { qualified } from "../rows.ts";
import { type OwnPeopleSteps, sharedPeopleSteps } from "../sql/people-steps.ts";
import type { Queries } from "../sql/queries.ts";
import type { MailSteps, SealSteps, TierSteps } from "../sql/steps.ts";
import { numbered, placeholder, statement } from "./statement.ts";

const seal = statement(`
  UPDATE audit_events e SET seq = s.seq, chain_hash = s.chain_hash
  FROM unnest($1::text[], $2::bigint[], $3::text[]) AS s (id, seq, chain_hash) WHERE e.id = s.id`);
const dropSealed = statement(`
  DELETE FROM audit_events e USING (
    SELECT d.position FROM audit_events d WHERE d.seq <= $1 ORDER BY d.seq LIMIT $2
  ) AS dropped WHERE e.position = dropped.position`);
const insertCursor = statement(
  "INSERT INTO audit_cursors (name, seq) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
);
const insertTier = statement(`
  INSERT INTO tiers (${tierColumns}) VALUES (${numbered(tierColumns)}) ON CONFLICT DO NOTHING`);
const claimMail = statement<readonly [...row: MailRow, dueAt: number]>(`
  WITH due AS MATERIALIZED (
    SELECT o.id, o.next_attempt_at AS due_at FROM outbox o WHERE o.next_attempt_at <= $1
    ORDER BY o.next_attempt_at, o.id LIMIT $2 FOR UPDATE SKIP LOCKED
  )
  UPDATE outbox o SET attempts = o.attempts + 1, next_attempt_at = $3 FROM due WHERE o.id = due.id
  RETURNING ${qualified("o", mailColumns)}, due.due_at`);
/** Where, in a row of it, the instant stands at which a mail was due. */
const dueAt = 8;

// New limits of a plan do not wait for those who hold it; deleting it does.
const shared = sharedPeopleSteps({
  statement,
  at: placeholder,
  share: "FOR SHARE",
  keyShare: "FOR KEY SHARE",
});

/** The steps about plans, the sealed audit log, and mail that is to be sent. */
export function peopleSteps(queries: Queries): SealSteps & TierSteps & MailSteps {
  const own: OwnPeopleSteps = {
    async sealAudit(seals) {
      const [ids, places] = [seals.map(({ id }) => id), seals.map(({ seq }) => seq)];
      const hashes = seals.map(({ chainHash }) => chainHash);
      await queries.run(seal, ids, places, hashes);
    },
    dropSealed: (throughSeq, limit) => queries.run(dropSealed, throughSeq, limit),
    insertCursor: async (name, seq) => (await queries.run(insertCursor, name, seq)) === 1,
    insertTier: async (row) => (await queries.run(insertTier, ...row)) === 1,
    async claimMail({ nowMs, limit, leasedUntilMs }) {
      const rows = await queries.all(claimMail, nowMs, limit, leasedUntilMs);
      // RETURNING promises no order.
      const sorted = rows.toSorted((a, b) => a[dueAt] - b[dueAt] || (a[0] < b[0] ? -1 : 1));
      return sorted.map((row) => row.slice(0, dueAt) as unknown as MailRow);
    },
  };
  return { ...shared(queries), ...own };
}
