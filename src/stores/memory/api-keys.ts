import type { ApiKey, ApiKeyUsage } from "../../domain/api-key.ts";
import type { ApiKeyUses } from "../../ports/directory-store.ts";
import { summedUses, usageName } from "../api-key-uses.ts";
import { type Journal, type Table, table } from "./journal.ts";
import { type OwnedTable, ownedTable } from "./owned.ts";
import { apiKeyOf, apiKeyText } from "./records.ts";

/** The API keys of one engine, and what they were used for. */
export interface ApiKeyTable extends OwnedTable<ApiKey> {
  /** Adds uses of the keys that are there. @throws TypeError for what no answer has */
  addUses(uses: readonly ApiKeyUses[]): void;
  /** Uses of a key from the hour `from` on, oldest hour first. */
  usage(keyId: string, from: Date): readonly ApiKeyUsage[];
  /** Deletes uses in hours before `instant`, at most `limit` rows; how many. */
  dropUsage(instant: Date, limit: number): number;
}

/** An empty table of API keys. */
export function apiKeyTable(log: Journal): ApiKeyTable {
  const keys = ownedTable(log, { write: apiKeyText, read: apiKeyOf });
  const usageByKey = table<Table<ApiKeyUsage>>(log);

  function addUsage(keyId: string, { hour, statusClass, path, count }: Omit<ApiKeyUsage, "keyId">): void {
    if (![1, 2, 3, 4, 5].includes(statusClass))
      throw new TypeError("a status begins with a digit from 1 to 5");
    const rows = usageByKey.get(keyId) ?? table<ApiKeyUsage>(log);
    usageByKey.set(keyId, rows);
    const name = usageName({ hour, statusClass, path });
    const sum = (rows.get(name)?.count ?? 0) + count;
    rows.set(name, { keyId, hour: new Date(hour), statusClass, path, count: sum });
  }

  return {
    ...keys,
    delete(id) {
      keys.delete(id);
      usageByKey.delete(id);
    },
    addUses(uses) {
      for (const { keyId, lastUsedAt, usage } of summedUses(uses)) {
        const key = keys.get(keyId);
        if (key === null) continue;
        if (key.lastUsedAt === null || key.lastUsedAt < lastUsedAt) keys.put({ ...key, lastUsedAt });
        for (const each of usage) addUsage(keyId, each);
      }
    },
    dropUsage(instant, limit) {
      const due = [...usageByKey.entries()].flatMap(([, rows]) =>
        [...rows.entries()].filter(([, { hour }]) => hour < instant).map(([name]) => ({ rows, name })),
      );
      const dropped = due.slice(0, limit);
      for (const { rows, name } of dropped) rows.delete(name);
      return dropped.length;
    },
    usage(keyId, from) {
      const rows = [...(usageByKey.get(keyId)?.entries() ?? [])];
      const due = rows.filter(([, { hour }]) => hour >= from).sort(([a], [b]) => (a < b ? -1 : 1));
      return due.map(([, row]) => ({ ...row, hour: new Date(row.hour) }));
    },
  };
}
