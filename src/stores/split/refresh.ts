import type { Committed, StoreCall, Write } from "../../ports/store.ts";
import type { Halves } from "./halves.ts";

/** A refresh as a flow commits it. */
export interface Refreshing {
  readonly refresh: Extract<Write, { kind: "session.refresh" }>;
  readonly requires: readonly Write[];
  readonly rows: readonly Write[];
}

/** What a transaction is about where it refreshes one session and changes nothing else; null for any other. */
export function refreshingOf(writes: readonly Write[]): Refreshing | null {
  const requires = writes.filter(({ kind }) => kind === "user.require");
  const rows = writes.filter(({ kind }) => kind === "audit.insert");
  const [refresh, ...others] = writes.filter(
    ({ kind }) => kind !== "user.require" && kind !== "audit.insert",
  );
  return refresh?.kind === "session.refresh" && others.length === 0 ? { refresh, requires, rows } : null;
}

/**
 * Of tabs that refresh at once the session engine lets one through; the others are refused, and nothing says that they did it.
 * So the directory is asked before, and told after.
 *
 * @throws where the directory takes the rows no more: the token was used then, as where an answer is lost
 */
export async function commitRefresh(
  { directory, sessions }: Halves,
  { refresh, requires, rows }: Refreshing,
  call: StoreCall,
): Promise<Committed> {
  const required: Committed = requires.length > 0 ? await directory.commit(requires, call) : done;
  if (!required.ok) return required;
  // Before the token is used, which nobody can take back.
  if (requires.length === 0 && rows.length > 0) await directory.ping(call);
  if (!(await sessions.refresh(refresh, call))) return { ok: false, refused: "conflict" };
  return rows.length > 0 ? directory.commit(rows, call) : done;
}

const done: Committed = { ok: true, ended: [], reported: [] };
