import type { AuditCheckpoint } from "../../domain/audit.ts";
import { noOrigin } from "../../domain/event.ts";
import type { Services } from "../../ports/services.ts";
import type { CheckpointKeys } from "./checkpoint-keys.ts";
import { dueBefore } from "./due.ts";
import { endOfLog } from "./seal-audit.ts";

/** Signs positions of the log. */
export interface Checkpoints {
  /**
   * Signs the end of the sealed log, where anything happened since the last checkpoint besides checkpoints. A log that does not
   * hold any more what this process signed before is not signed, and that is logged as an error each time.
   *
   * @returns null where nothing was signed; also where another process signed at the same moment
   */
  sign(): Promise<AuditCheckpoint | null>;
}

/** What signing works with. */
export type SigningServices = Pick<Services, "stores" | "call" | "clock" | "events" | "commit" | "log">;

interface Remembered extends Pick<AuditCheckpoint, "seq" | "createdAt"> {
  /** Of the row that stood there; null where there was none when this process began. */
  readonly chainHash: string | null;
}

/**
 * Makes what signs. It remembers what it signed last: whoever writes to the database could make the rows before anew and take the
 * checkpoints away, and would have them signed again. A process that has just started knows the database alone.
 *
 * @param retentionSeconds - for how long rows are kept at least; null: for ever
 */
export function checkpoints(
  services: SigningServices,
  keys: CheckpointKeys,
  retentionSeconds: number | null,
): Checkpoints {
  const { stores, call, clock, events, commit, log } = services;
  let last: Remembered | null = null;

  async function digestAt(position: number): Promise<string | null> {
    const [row] = await stores.directory.sealedAudit({ afterSeq: position - 1, limit: 1 }, call());
    return row?.seq === position ? row.chainHash : null;
  }

  async function newest(): Promise<Remembered> {
    const { seq, createdAt } = (await stores.directory.auditCheckpoints(call())).at(-1) ?? nothing;
    // What stands there, even where it is not what was signed: that is for `verify` to say, and what comes is signed all the same.
    return { seq, createdAt, chainHash: await digestAt(seq) };
  }

  async function stands({ seq, chainHash, createdAt }: Remembered): Promise<boolean> {
    const digest = await digestAt(seq);
    if (digest !== null || chainHash === null) return digest === chainHash;
    const due = dueBefore(clock.now(), retentionSeconds);
    return due !== null && createdAt < due;
  }

  return {
    async sign() {
      last ??= await newest();
      const end = await endOfLog(services, last.seq);
      // Looked at after the end was read: what is put in its place from now on is not what is signed.
      if (!(await stands(last))) {
        log.error("the audit log is not as it was signed: nothing is signed any more", { seq: last.seq });
        return null;
      }
      if (end === null || !end.hasNews) return null;
      const signed = { seq: end.seq, chainHash: end.chainHash, createdAt: clock.now() };
      const checkpoint = keys.sign(signed);
      const payload = { fromSeq: last.seq + 1, toSeq: end.seq, chainHash: end.chainHash };
      const row = events.row({ type: "audit.sealed", userId: null, sessionId: null, payload }, noOrigin);
      const result = await commit([
        { kind: "audit.checkpoint", checkpoint },
        { kind: "audit.insert", row },
      ]);
      // Refused: there is one at or past this place. Whose it is, nobody knows here: what was signed here stays what counts.
      if (!result.ok) return null;
      last = signed;
      return checkpoint;
    },
  };
}

const nothing = { seq: 0, createdAt: new Date(0) };
