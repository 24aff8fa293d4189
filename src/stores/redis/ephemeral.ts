import type { EphemeralStore } from "../../ports/ephemeral-store.ts";
import { assertDistinct } from "../distinct-limits.ts";
import { counters } from "./counters.ts";
import { addScript, takeValueScript } from "./ephemeral-scripts.ts";
import { endOf, nowOf, serverTtl } from "./lifetimes.ts";
import type { Parts } from "./parts.ts";

/** One-time tokens, counters and spent marks on Redis. Expired ones go by themselves: `sweep` has nothing to do. */
export function ephemeralStore({ engine, link, keys, ping, close }: Parts): EphemeralStore {
  const { reserve, refund } = counters({ link, keys });
  return {
    engine,
    ping,
    close,
    async put(key, value, ttlSeconds, call) {
      const at = keys.value(key);
      const text = `${endOf(ttlSeconds, call)} ${value}`;
      await link.send(["SET", at, text, "PX", serverTtl(ttlSeconds)], at, call);
    },
    async read(key, call) {
      const at = keys.value(key);
      const text = (await link.send(["GET", at], at, call)) as string | null;
      if (text === null) return null;
      const space = text.indexOf(" ");
      return Number(text.slice(0, space)) > call.now.getTime() ? text.slice(space + 1) : null;
    },
    async take(key, call) {
      return (await link.run(takeValueScript, [keys.value(key)], [nowOf(call)], call)) as string | null;
    },
    async add(key, ttlSeconds, call) {
      const args = [nowOf(call), `${endOf(ttlSeconds, call)} `, serverTtl(ttlSeconds)];
      return (await link.run(addScript, [keys.value(key)], args, call)) === 1;
    },
    async remove(names, call) {
      const all = names.flatMap((name) => [keys.value(name), keys.counter(name)]);
      await Promise.all(all.map((key) => link.send(["DEL", key], key, call)));
    },
    async reserve(limits, call) {
      assertDistinct(limits);
      return reserve(limits, call);
    },
    refund,
    sweep: async () => 0,
  };
}
