import * as z from "zod/mini";
import type { LinkedAccount } from "../domain/linked-account.ts";
import type { AccountExport } from "../flows/account/export-account.ts";
import type { Route } from "../ports/route.ts";
import { keyShape } from "./api-keys.ts";
import { queryText, readQuery } from "./queries.ts";
import { eventShape, wireRow } from "./records.ts";
import { row } from "./row.ts";
import type { EndpointServices } from "./services.ts";
import { sessionShape, userShape, wireSession } from "./wire.ts";
import { wireKey } from "./wire-owned.ts";

const time = z.iso.datetime();

/** Everything that is held about an account. The document says its version, so that programs can tell. */
export const exportShape: z.ZodMiniObject = z.object({
  format: z.literal("latchkey.account.v1"),
  exported_at: time,
  account: z.extend(userShape, {
    status: z.string(),
    /** What the application keeps about the user. */
    data: z.record(z.string(), z.unknown()),
    password_changed_at: z.nullable(time),
  }),
  sessions: z.array(sessionShape),
  api_keys: z.array(keyShape),
  linked_accounts: z.array(
    z.object({
      provider: z.string(),
      issuer: z.string(),
      subject: z.string(),
      email: z.nullable(z.string()),
      last_used_at: z.nullable(time),
      created_at: time,
    }),
  ),
  /** Newest first, at most 5,000. */
  events: z.array(eventShape),
  /** Where there are older events: `cursor` of the part that begins with them. */
  next_cursor: z.nullable(z.string()),
});

/** The caller's own data, to take along. @see GDPR, articles 15 and 20 */
export function exportRoute({ users, guards, showUser }: EndpointServices): Route {
  return row({
    method: "GET",
    path: "/users/me/export",
    refuses: ["fresh_auth_required"],
    summary:
      "Everything that is held about the caller; needs a fresh sign-in. `cursor`: the part with older events",
    guards: [guards.signedIn],
    answers: { 200: exportShape },
    async handle({ query, principal, ...call }) {
      const { cursor = null } = readQuery(z.object({ cursor: z.optional(queryText(64)) }), query);
      const exported = await users.export(cursor, call);
      const currentId = principal.isAuthenticated ? principal.sessionId : null;
      return { status: 200, body: wireExport(exported, await showUser(exported.user), currentId) };
    },
  });
}

function wireExport(
  exported: AccountExport,
  shown: object,
  currentId: string | null,
): Readonly<Record<string, unknown>> {
  const { user, passwordChangedAt, exportedAt } = exported;
  return {
    format: "latchkey.account.v1",
    exported_at: exportedAt.toISOString(),
    account: {
      ...shown,
      status: user.status,
      data: user.data,
      password_changed_at: passwordChangedAt?.toISOString() ?? null,
    },
    sessions: exported.sessions.map((session) => wireSession(session, currentId)),
    api_keys: exported.apiKeys.map(wireKey),
    linked_accounts: exported.linkedAccounts.map(wireLinked),
    events: exported.events.map(wireRow),
    next_cursor: exported.next,
  };
}

function wireLinked(account: Omit<LinkedAccount, "sealedTokens">): Readonly<Record<string, unknown>> {
  const { provider, issuer, subject, email, lastUsedAt, createdAt } = account;
  const lastUsed = lastUsedAt?.toISOString() ?? null;
  return { provider, issuer, subject, email, last_used_at: lastUsed, created_at: createdAt.toISOString() };
}
