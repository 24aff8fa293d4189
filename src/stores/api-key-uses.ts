import type { ApiKeyUsage } from "../domain/api-key.ts";
import type { ApiKeyUses } from "../ports/directory-store.ts";

/**
 * Uses with each key once, and under it each hour, class and path once. Keys and rows come in one order, whoever asks: two
 * transactions that lock them one after the other never wait for each other.
 */
export function summedUses(uses: readonly ApiKeyUses[]): readonly ApiKeyUses[] {
  const byKey = new Map<string, ApiKeyUses[]>();
  for (const each of uses) {
    const parts = byKey.get(each.keyId);
    if (parts === undefined) byKey.set(each.keyId, [each]);
    else parts.push(each);
  }
  return [...byKey]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([keyId, parts]) => {
      const times = parts.map(({ lastUsedAt }) => lastUsedAt.getTime());
      const usage = summedUsage(parts.flatMap((part) => part.usage));
      return { keyId, lastUsedAt: new Date(Math.max(...times)), usage };
    });
}

type Usage = Omit<ApiKeyUsage, "keyId">;

function summedUsage(usage: readonly Usage[]): readonly Usage[] {
  const rows = new Map<string, Usage>();
  for (const each of usage) {
    const name = usageName(each);
    rows.set(name, { ...each, count: (rows.get(name)?.count ?? 0) + each.count });
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

/** What tells uses of one key apart. @throws RangeError where the hour is no time */
export function usageName({ hour, statusClass, path }: Omit<Usage, "count">): string {
  return `${hour.toISOString()} ${statusClass} ${path}`;
}
