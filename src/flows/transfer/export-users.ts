import { noOrigin } from "../../domain/event.ts";
import type { User } from "../../domain/user.ts";
import type { Services } from "../../ports/services.ts";
import { allUsers } from "../all-users.ts";
import { accountLine, type TransferLine, tierLine, transferFormat } from "./text.ts";

/**
 * Everything that accounts are made of, line by line: a head, the plans, each account with its password hash, linked accounts
 * and API keys' digests, and an end that counts them. What it gives is as good as the database: keep it as that is kept.
 *
 * Not a snapshot: an account that changes meanwhile is given as it is when its turn comes, and one that is made meanwhile may be
 * missing. Sessions, one-time tokens, counters, the audit log and usage of API keys stay behind. However it ends, the event
 * `export.finished` says how many accounts were given.
 *
 * @throws AuthError `store_unavailable`
 */
export async function* exportUsers(services: Services): AsyncGenerator<TransferLine, void, undefined> {
  const { directory } = services.stores;
  let exported = 0;
  try {
    yield { kind: "export", format: transferFormat, exported_at: services.clock.now().toISOString() };
    for (const tier of await directory.tiers(services.call())) yield tierLine(tier);
    for await (const users of allUsers(services)) {
      const accounts = await Promise.all(users.map((user) => accountOf(services, user)));
      for (const account of accounts) {
        if (account === null) continue;
        exported += 1;
        yield account;
      }
    }
    yield { kind: "end", accounts: exported };
  } finally {
    const payload = { what: "accounts", exported } as const;
    const event = { type: "export.finished" as const, userId: null, sessionId: null, payload };
    await services.commit([{ kind: "audit.insert", row: services.events.row(event, noOrigin) }]);
  }
}

async function accountOf({ stores, call }: Services, { id }: User): Promise<TransferLine | null> {
  const { directory } = stores;
  const found = await directory.userWithPassword({ kind: "id", key: id }, call());
  if (found === null) return null;
  const [linkedAccounts, apiKeys] = await Promise.all([
    directory.linkedAccounts(id, call()),
    directory.apiKeys(id, call()),
  ]);
  return accountLine({ ...found, linkedAccounts, apiKeys });
}
