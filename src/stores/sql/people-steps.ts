import { checkpointColumns, mailColumns } from "../people-rows.ts";
import type { AuditEventRow } from "../rows.ts";
import type { LogEnd } from "../sealing.ts";
import { auditSelection, auditSource } from "./audit-reads.ts";
import type { Queries, Statement } from "./queries.ts";
import type { MailSteps, SealSteps, SqlValue, TierSteps } from "./steps.ts";

/** The steps that each engine has in words of its own. */
export type OwnPeopleSteps = Pick<SealSteps, "sealAudit" | "dropSealed" | "insertCursor"> &
  Pick<TierSteps, "insertTier"> &
  Pick<MailSteps, "claimMail">;

/** The steps that are the same in the words of every engine. */
export type SharedPeopleSteps = Omit<SealSteps & TierSteps & MailSteps, keyof OwnPeopleSteps>;

/** How an engine says what all of them can. */
export interface Words {
  statement<Row extends readonly SqlValue[]>(text: string): Statement<Row>;
  /** The placeholder of the first, second, … value. */
  at(place: number): string;
  /** What ends a reading whose rows stay as they are until the transaction ends. */
  readonly share: string;
  /** What ends one whose rows stay there, while others may change what is no key. */
  readonly keyShare: string;
}

/** The steps about plans, the sealed audit log and mail, as far as engines share them. */
export function sharedPeopleSteps({
  statement,
  at,
  share,
  keyShare,
}: Words): (queries: Queries) => SharedPeopleSteps {
  const given = (columns: string): string => {
    let next = 1;
    return columns.replaceAll(/\w+/g, () => at(next++));
  };
  const unsealed = statement<AuditEventRow>(`
    SELECT ${auditSelection} FROM ${auditSource} WHERE e.seq IS NULL ORDER BY e.position LIMIT ${at(1)}`);
  const lastRow = statement<End>(
    "SELECT seq, chain_hash FROM audit_events WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1",
  );
  const lastCheckpoint = statement<End>(
    "SELECT seq, chain_hash FROM audit_checkpoints ORDER BY seq DESC LIMIT 1",
  );
  const holdCursors = statement<readonly [seq: number]>(`
    SELECT seq FROM audit_cursors ORDER BY name ${share}`);
  const mayCheckpoint = statement<readonly [number]>(`
    SELECT 1 FROM audit_events e WHERE e.seq = ${at(1)} AND e.chain_hash = ${at(2)}
    AND NOT EXISTS (SELECT 1 FROM audit_checkpoints c WHERE c.seq >= ${at(3)})`);
  const insertCheckpoint = statement<readonly []>(`
    INSERT INTO audit_checkpoints (${checkpointColumns}) VALUES (${given(checkpointColumns)})`);
  const moveCursor = statement<readonly []>(`
    UPDATE audit_cursors SET seq = ${at(1)} WHERE name = ${at(2)} AND seq = ${at(3)}`);
  const deleteCursor = statement<readonly []>(`DELETE FROM audit_cursors WHERE name = ${at(1)}`);

  const updateTier = statement<readonly []>(`
    UPDATE tiers SET limits = ${at(1)}, version = version + 1, updated_at = ${at(2)}
    WHERE name = ${at(3)} AND version = ${at(4)}`);
  const deleteTier = statement<readonly []>(`DELETE FROM tiers WHERE name = ${at(1)}`);
  const holdTier = statement<readonly [number]>(`SELECT 1 FROM tiers WHERE name = ${at(1)} ${keyShare}`);
  // Blanks at the end of a text are nothing to some collations.
  const usersIn = statement<readonly [number]>(`
    SELECT 1 FROM users WHERE tier = ${at(1)} AND LENGTH(tier) = LENGTH(${at(2)}) LIMIT 1`);

  const insertMail = statement<readonly []>(`
    INSERT INTO outbox (${mailColumns}) VALUES (${given(mailColumns)})`);
  const deleteMail = statement<readonly []>(`DELETE FROM outbox WHERE id = ${at(1)}`);
  const deleteMailTo = statement<readonly []>(`DELETE FROM outbox WHERE user_id = ${at(1)}`);

  return (queries: Queries): SharedPeopleSteps => {
    const isThere = async (
      read: Statement<readonly [number]>,
      ...values: readonly SqlValue[]
    ): Promise<boolean> => (await queries.all(read, ...values)).length > 0;
    const run = async (write: Statement, ...values: readonly SqlValue[]): Promise<void> => {
      await queries.run(write, ...values);
    };
    const changesOne = async (write: Statement, ...values: readonly SqlValue[]): Promise<boolean> =>
      (await queries.run(write, ...values)) === 1;
    const end = async (read: Statement<End>): Promise<LogEnd | null> => {
      const [row] = await queries.all(read);
      return row === undefined ? null : { seq: row[0], chainHash: row[1] };
    };

    return {
      // A limit is given as text: as a number it would be a fraction to some servers.
      unsealedAudit: (limit) => queries.all(unsealed, `${limit}`),
      sealedEnds: async () => ({ row: await end(lastRow), checkpoint: await end(lastCheckpoint) }),
      async droppableThrough() {
        const cursors = (await queries.all(holdCursors)).map(([seq]) => seq);
        const checkpoint = await end(lastCheckpoint);
        return checkpoint === null ? null : Math.min(checkpoint.seq, ...cursors);
      },
      mayCheckpoint: (seq, chainHash) => isThere(mayCheckpoint, seq, chainHash, seq),
      insertCheckpoint: (row) => run(insertCheckpoint, ...row),
      moveCursor: (name, from, to) => changesOne(moveCursor, to, name, from),
      deleteCursor: (name) => run(deleteCursor, name),
      updateTier: ({ name, version, limits, nowMs }) => changesOne(updateTier, limits, nowMs, name, version),
      deleteTier: (name) => changesOne(deleteTier, name),
      holdTier: (name) => isThere(holdTier, name),
      hasUsersIn: (name) => isThere(usersIn, name, name),
      insertMail: (row) => run(insertMail, ...row),
      deleteMail: (id) => run(deleteMail, id),
      deleteMailTo: (userId) => run(deleteMailTo, userId),
    };
  };
}

type End = readonly [seq: number, chainHash: string];
