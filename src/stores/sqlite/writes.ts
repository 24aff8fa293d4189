import type { Committed, Refusal, Write } from "../../ports/store.ts";
import { auditStatements, insertAudit } from "./audit.ts";
import {
  deleteAllSessions,
  deleteSession,
  insertSession,
  rotateSession,
  sessionStatements,
  setSessionData,
} from "./session-writes.ts";
import type { Prepare } from "./statement.ts";
import {
  advanceUser,
  eraseUser,
  insertPassword,
  insertUser,
  replacePassword,
  requireEmpty,
  requireOtherSuperuser,
  requireUser,
  updateUser,
  userStatements,
} from "./user-writes.ts";
import type { Handler, WriteRun, WriteStatements } from "./write-run.ts";

/** Prepares the statements that transactions are made of. */
export function writeStatements(prepare: Prepare): WriteStatements {
  return {
    users: userStatements(prepare),
    sessions: sessionStatements(prepare),
    audit: auditStatements(prepare),
  };
}

const handlers: { readonly [K in Write["kind"]]: Handler<K> } = {
  "user.require": requireUser,
  "user.insert": insertUser,
  "user.update": updateUser,
  "user.advance": advanceUser,
  "user.erase": eraseUser,
  "directory.require_empty": requireEmpty,
  "directory.require_other_superuser": requireOtherSuperuser,
  "password.insert": insertPassword,
  "password.replace": replacePassword,
  "session.insert": insertSession,
  "session.rotate": rotateSession,
  "session.delete": deleteSession,
  "session.delete_all": deleteAllSessions,
  "session.set_data": setSessionData,
  "audit.insert": ({ row }, { statements }) => {
    insertAudit(statements.audit, row);
    return null;
  },
};

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
