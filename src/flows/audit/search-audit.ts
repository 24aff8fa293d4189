import { setImmediate } from "node:timers/promises";
import type { AuditRow } from "../../domain/audit.ts";
import type { AuditQuery } from "../../ports/directory-store.ts";
import type { Services } from "../../ports/services.ts";

/** What is looked for in the audit log; what is absent or null may be anything. */
export type AuditSearch = Partial<AuditQuery>;

/** Some of the rows that were looked for, newest first. */
export interface AuditPage {
  readonly rows: readonly AuditRow[];
  /** `before` of the next page, or null where this is the last. */
  readonly next: string | null;
}

/** Most rows of one page. */
export const mostAuditRows = 200;

/**
 * A page of the audit log, the newest rows first, whether they are sealed yet or not.
 *
 * @param search - `limit` 1 to {@link mostAuditRows}, default 50
 */
export async function searchAudit(
  { stores, call }: Pick<Services, "stores" | "call">,
  search: AuditSearch = {},
): Promise<AuditPage> {
  const limit = Math.max(1, Math.min(search.limit ?? 50, mostAuditRows));
  const query = { ...everything, ...search, limit: limit + 1 };
  const rows = await stores.directory.auditRows(query, call());
  const page = rows.slice(0, limit);
  return { rows: page, next: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}

/** Every row that is looked for, page by page. What is written in the meantime is not among them. */
export async function* auditPages(
  services: Pick<Services, "stores" | "call">,
  search: Omit<AuditSearch, "limit">,
): AsyncGenerator<AuditPage, void, void> {
  let before = search.before ?? null;
  for (;;) {
    const page = await searchAudit(services, { ...search, before, limit: mostAuditRows });
    if (page.rows.length > 0) yield page;
    if (page.next === null) return;
    await setImmediate();
    before = page.next;
  }
}

const everything: AuditQuery = { userId: null, types: null, from: null, to: null, before: null, limit: 50 };
