import type { ApiKeys } from "../../src/api/api-keys.ts";
import { signedInAs } from "../../src/domain/principal.ts";
import type { User } from "../../src/domain/user.ts";
import { type ApiKeysOptions, apiKeys } from "../../src/features/api-keys.ts";
import type { CreatedApiKey, NewApiKey } from "../../src/flows/api-keys/api-keys.ts";
import type { StoreCall } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { type World, type WorldOptions, world } from "./world.ts";

/** A world with API keys, a user who holds two permissions, and what they would do in a session. */
export interface ApiKeyWorld extends World {
  readonly keys: ApiKeys;
  readonly ana: User;
  /** The whole of a user's rights. Default: Ana's. */
  principal(user?: User): ReturnType<typeof signedInAs>;
  /** A key of Ana's, called "CI" where nothing else is said. */
  key(wanted?: Partial<NewApiKey>): Promise<CreatedApiKey>;
  /** Writes the counted uses, and then waits for what answers do not wait for. */
  flushed(): Promise<void>;
}

/** Opens one; see {@link ApiKeyWorld}. */
export async function apiKeyWorld(
  options: WorldOptions = {},
  settings: ApiKeysOptions = {},
): Promise<ApiKeyWorld> {
  const feature = apiKeys(settings);
  const here = world({ ...options, features: [feature, ...(options.features ?? [])] });
  const keys = here.auth.use(feature);
  const ana = await here.plant({ email: "ana@example.com", permissions: ["invoice:read", "invoice:write"] });
  const principal = (user = ana) =>
    signedInAs(user, {
      via: "session",
      amr: ["pwd"],
      authTime: here.clock.now(),
      sessionId: null,
      scopes: null,
    });
  return Object.assign(here, {
    keys,
    ana,
    principal,
    key: (wanted: Partial<NewApiKey> = {}) => keys.create(principal(), { name: "CI", ...wanted }),
    async flushed() {
      await here.auth.close();
      await here.settle();
    },
  });
}

/** Notes of each read of the directory by this name whether it may be answered from a cache. */
export function notingReads(name: "user" | "apiKey"): {
  readonly calls: (boolean | undefined)[];
  readonly wrap: (stores: Stores) => Stores;
} {
  const calls: (boolean | undefined)[] = [];
  const noted = (directory: Stores["directory"]): Stores["directory"] =>
    new Proxy(directory, {
      get: (target, property) =>
        property === name
          ? (id: string, call: StoreCall) => {
              calls.push(call.readsThrough);
              return target[name](id, call);
            }
          : Reflect.get(target, property),
    });
  return { calls, wrap: (stores) => ({ ...stores, directory: noted(stores.directory) }) };
}
