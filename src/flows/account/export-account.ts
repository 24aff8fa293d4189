import type { AuditRow } from "../../domain/audit.ts";
import type { EventOrigin } from "../../domain/event.ts";
import type { LinkedAccount } from "../../domain/linked-account.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import type { ApiKeyInfo } from "../api-keys/reads.ts";
import { limitKey, takeLimit } from "../attempts.ts";
import { assertCommitted } from "../refusals.ts";

/** Everything that is held about an account, in parts: what happened to it may be more than fits into one. */
export interface AccountExport {
  readonly user: User;
  /** When the password was last changed; null where there is none. */
  readonly passwordChangedAt: Date | null;
  readonly sessions: readonly Omit<Session, "secretDigest" | "refresh">[];
  readonly apiKeys: readonly ApiKeyInfo[];
  readonly linkedAccounts: readonly Omit<LinkedAccount, "sealedTokens">[];
  /** Newest first. */
  readonly events: readonly AuditRow[];
  /** `before` of the next part; null at the end. */
  readonly next: string | null;
  readonly exportedAt: Date;
}

/** Who asks for what is held about them. */
export interface ExportContext {
  readonly user: User;
  readonly sessionId: string | null;
  readonly isFresh: boolean;
  readonly from: EventOrigin;
  /** `next` of the part before; null for the first. */
  readonly before: string | null;
}

/** Events of one part. */
export const exportedEvents = 5_000;
const pageRows = 1_000;
const exportsPerHour = 30;

/**
 * Takes out everything that is held about somebody, without secrets or their digests.
 *
 * @throws AuthError `fresh_auth_required` - whoever sits at an unattended browser must not carry it off; `rate_limited`;
 * `session_expired` - every proof of theirs was ended in the meantime
 */
export async function exportAccount(services: Services, context: ExportContext): Promise<AccountExport> {
  const { stores, clock, call } = services;
  const { user: asking, sessionId, before, from } = context;
  if (!context.isFresh) throw new AuthError("fresh_auth_required");
  await takeExport(services, context);
  const found = await stores.directory.userWithPassword({ kind: "id", key: asking.id }, call());
  if (found === null || found.user.generation !== asking.generation) throw new AuthError("session_expired");
  const { user, password } = found;
  const [sessions, apiKeys, linkedAccounts, rows] = await Promise.all([
    stores.sessions.list(user.id, call()),
    stores.directory.apiKeys(user.id, call()),
    stores.directory.linkedAccounts(user.id, call()),
    eventsOf(services, user.id, before),
  ]);
  const row = services.events.row({ type: "user.exported", userId: user.id, sessionId, payload: {} }, from);
  assertCommitted(
    await services.commit([
      { kind: "user.require", userId: user.id, generation: asking.generation },
      { kind: "audit.insert", row },
    ]),
  );
  const events = rows.slice(0, exportedEvents);
  return {
    user,
    passwordChangedAt: password?.updatedAt ?? null,
    sessions: sessions.map(({ secretDigest: _, refresh: __, ...info }) => info),
    apiKeys: apiKeys.map(({ kind: _, secretDigest: __, ...info }) => info),
    linkedAccounts: linkedAccounts.map(({ sealedTokens: _, ...info }) => info),
    events,
    next: rows.length > exportedEvents ? (events.at(-1)?.id ?? null) : null,
    exportedAt: clock.now(),
  };
}

// One more than a part holds, where there are: it tells that there is another part.
async function eventsOf(
  { stores, call }: Services,
  userId: string,
  from: string | null,
): Promise<readonly AuditRow[]> {
  const rows: AuditRow[] = [];
  for (let before = from; rows.length <= exportedEvents; before = rows.at(-1)?.id ?? null) {
    const limit = Math.min(pageRows, exportedEvents + 1 - rows.length);
    const query = { userId, types: null, from: null, to: null, before, limit };
    const page = await stores.directory.auditRows(query, call());
    rows.push(...page);
    if (page.length < limit) break;
  }
  return rows;
}

async function takeExport(
  services: Services,
  { user: { id: userId }, sessionId, from }: ExportContext,
): Promise<void> {
  const key = limitKey("export", userId);
  const limit = { name: "export", key, limit: exportsPerHour, windowSeconds: 3_600 };
  await takeLimit(services, [limit], from, { userId, sessionId });
}
