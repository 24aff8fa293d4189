import type { Tier } from "../domain/tier.ts";
import type { Clock } from "../ports/clock.ts";
import type { TierBook } from "../ports/services.ts";
import type { Awaitable } from "../ports/store.ts";

/** What one reading of the rows gave. */
interface Copy {
  readonly byName: ReadonlyMap<string, Tier>;
  /** When the reading began, in milliseconds since 1970. */
  readonly readAt: number;
  /** Names that were looked for since, and are not there. */
  readonly missing: Set<string>;
}

/** How old a copy of the rows may be. */
const longestMs = 5_000;

/**
 * The tiers, from a copy in this process. There are few of them and they change seldom, but every request of a limited path asks.
 *
 * @param read - every tier, as the directory has them
 */
export function tierBook(clock: Clock, read: () => Awaitable<readonly Tier[]>): TierBook {
  let copy: Copy | null = null;
  let reading: Promise<Copy> | null = null;
  // A reading that began before a change of our own must not be kept after it.
  let changes = 0;

  function current(): Copy | null {
    if (copy === null) return null;
    const ageMs = clock.now().getTime() - copy.readAt;
    return ageMs >= 0 && ageMs < longestMs ? copy : null;
  }

  function anew(): Awaitable<Copy> {
    if (reading !== null) return reading;
    const [readAt, before] = [clock.now().getTime(), changes];
    const keep = (tiers: readonly Tier[]): Copy => {
      const read = {
        byName: new Map(tiers.map((tier) => [tier.name, tier])),
        readAt,
        missing: new Set<string>(),
      };
      if (changes === before) copy = read;
      return read;
    };
    const rows = read();
    if (!(rows instanceof Promise)) return keep(rows);
    const under = rows.then(keep).finally(() => {
      if (reading === under) reading = null;
    });
    reading = under;
    return under;
  }

  function settled(from: Copy, name: string): Tier | null {
    const tier = from.byName.get(name) ?? null;
    if (tier === null) from.missing.add(name);
    return tier;
  }

  return {
    named(name) {
      const known = current();
      const tier = known?.byName.get(name);
      if (tier !== undefined) return tier;
      // Made since the copy was: asked once for each name.
      if (known?.missing.has(name)) return null;
      const read = anew();
      return read instanceof Promise ? read.then((fresh) => settled(fresh, name)) : settled(read, name);
    },
    changed() {
      changes++;
      copy = null;
      reading = null;
    },
  };
}
