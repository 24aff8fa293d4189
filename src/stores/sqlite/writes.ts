import type { Committed, Refusal, Write } from "../../ports/store.ts";
import { auditStatements, insertAudit } from "./audit.ts";
import { credentialHandlers, credentialStatements } from "./credential-writes.ts";
import { peopleHandlers, peopleStatements } from "./people-writes.ts";
import { revocationHandlers, revocationStatements } from "./revocations.ts";
import { sealHandlers, sealStatements } from "./sealed-audit.ts";
import { sessionHandlers, sessionStatements } from "./session-writes.ts";
import type { Prepare } from "./statement.ts";
import { userHandlers, userStatements } from "./user-writes.ts";
import type { Handler, Handlers, WriteRun, WriteStatements } from "./write-run.ts";

const handlers: Handlers = {
  ...userHandlers,
  ...credentialHandlers,
  ...sessionHandlers,
  ...revocationHandlers,
  ...sealHandlers,
  ...peopleHandlers,
  "audit.insert": ({ row }, { statements }) => {
    insertAudit(statements.audit, row);
    return null;
  },
};

/** Prepares the statements that transactions are made of. */
export function writeStatements(prepare: Prepare): WriteStatements {
  return {
    users: userStatements(prepare),
    credentials: credentialStatements(prepare),
    sessions: sessionStatements(prepare),
    revocations: revocationStatements(prepare),
    audit: auditStatements(prepare),
    seals: sealStatements(prepare),
    people: peopleStatements(prepare),
  };
}

/** Runs the writes in order, within a transaction that is undone where the answer is not `ok`. */
export function runWrites(run: WriteRun, writes: readonly Write[]): Committed {
  for (const write of writes) {
    const refused = runOne(write, run);
    if (refused !== null) return { ok: false, refused };
  }
  return { ok: true, ended: run.ended, reported: run.reported };
}

function runOne<K extends Write["kind"]>(write: Extract<Write, { kind: K }>, run: WriteRun): Refusal | null {
  const handler: Handler<K> = handlers[write.kind as K];
  return handler(write, run);
}
