import { type OwnRedis, startRedis as start } from "../services/start-redis.ts";

/** A Redis of one file's own, started before its first test; whoever starts it ends it. */
export function startRedis(): Promise<OwnRedis> {
  return start({ cleanup: () => undefined });
}
