import { keys as keysBelow } from "./keys.ts";
import { type Link, script } from "./link.ts";

/** Keys that are asked for in a cluster, so that every primary is likely to be among those that answer. */
const spreadOver = 32;
const oldest = [6, 2] as const;

const setupScript = script(`
local function field(section, name)
  return string.match(redis.call('INFO', section), name .. ':([^\\r\\n]*)') or ''
end
return { field('server', 'redis_version'), field('memory', 'maxmemory_policy') }
`);

/** Holds back every command until the servers were found fit for what is kept there; a failed look is repeated by the next. */
export function checkedLink(link: Link, prefix: string): Link & { readonly ready: () => Promise<void> } {
  let isFit = false;
  let looking: Promise<void> | null = null;

  async function look(): Promise<void> {
    const places = keysBelow(prefix).spread(link.isCluster ? spreadOver : 1);
    const call = { signal: new AbortController().signal };
    const looks = places.map((key) => link.run(setupScript, [key], [], call));
    const answers = await Promise.all(looks).catch((error: unknown) => {
      throw forbidden(error) ?? error;
    });
    for (const answer of answers) assertFit(answer as readonly [string, string]);
    isFit = true;
  }

  function ready(): Promise<void> {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  }

  return {
    isCluster: link.isCluster,
    ready: async () => (isFit ? undefined : ready()),
    async send(args, key, call) {
      if (!isFit) await ready();
      return link.send(args, key, call);
    },
    async run(script, keys, args, call) {
      if (!isFit) await ready();
      return link.run(script, keys, args, call);
    },
  };
}

/** The servers answered, and would lose what is kept there, or lack what it needs. */
export class UnfitRedisError extends Error {
  override readonly name = "UnfitRedisError";
}

/** What a server says that has no such command, or none for scripts, or whose ACL forbids it: trying again is of no use. */
const forbids =
  /^NOPERM|ACL failure in script|user executing the script can't|not allowed from script|unknown (redis )?command/i;

function forbidden(error: unknown): UnfitRedisError | null {
  if (!(error instanceof Error) || !forbids.test(error.message)) return null;
  return new UnfitRedisError(`Redis: its user lacks a right that is needed: ${error.message}`, {
    cause: error,
  });
}

function assertFit([version, policy]: readonly [version: string, policy: string]): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
  if (isOld)
    throw new UnfitRedisError(
      `Redis ${oldest.join(".")} or newer is needed, this is ${version || "unknown"}`,
    );
  if (policy === "noeviction") return;
  throw new UnfitRedisError(
    `Redis: maxmemory-policy must be noeviction, it is ${policy || "unknown"}: a server that evicts forgets spent tokens and attempts`,
  );
}
