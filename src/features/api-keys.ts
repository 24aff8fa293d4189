import { type ApiKeys, bindApiKeys } from "../api/api-keys.ts";
import { isApiKeyEnvironment } from "../domain/api-key-text.ts";
import { apiKeyFlows } from "../flows/api-keys/api-keys.ts";
import { apiKeyUses, dropOldUses } from "../flows/api-keys/uses.ts";
import { apiKey } from "../strategies/api-key.ts";
import type { Feature } from "./feature.ts";

/** Settings of {@link apiKeys}. */
export interface ApiKeysOptions {
  /**
   * Word in the text of the keys that says what they belong to: 1 to 16 of `a-z 0-9`. Keys of another word are refused,
   * so a change of it ends every key. Default `live`.
   */
  readonly environment?: string;
  /** Header that holds a key. Default `X-API-Key`; `Authorization: Bearer` is understood besides. */
  readonly header?: string;
  /** For how many days it is kept what each key was used for, 1 to 3,650; the regular sweep drops the rest. Default 90. */
  readonly usageDays?: number;
}

// Shared with other proofs, or written by the client's own HTTP.
const reserved = ["authorization", "cookie", "host", "origin", "proxy-authorization"];

/** API keys: for programs that act in a user's name. */
export function apiKeys({
  environment = "live",
  header = "X-API-Key",
  usageDays = 90,
}: ApiKeysOptions = {}): Feature<ApiKeys> {
  return {
    name: "api-keys",
    install(services) {
      if (!isApiKeyEnvironment(environment))
        throw new TypeError("apiKeys: environment is 1 to 16 of a-z 0-9");
      if (!/^[A-Za-z0-9-]{1,64}$/.test(header) || reserved.includes(header.toLowerCase()))
        throw new TypeError(`apiKeys: ${JSON.stringify(header)} is no header for keys; try X-API-Key`);
      if (!Number.isInteger(usageDays) || usageDays < 1 || usageDays > 3_650)
        throw new TypeError("apiKeys: usageDays is a whole number from 1 to 3650");
      const uses = apiKeyUses(services);
      const keys = bindApiKeys(apiKeyFlows(services, environment), services.random);
      return {
        api: keys,
        strategies: [apiKey(services, { environment, header, noteUse: uses.note })],
        routes: async (endpoints) => (await import("../endpoints/api-keys.ts")).apiKeyRoutes(keys, endpoints),
        sweep: () => dropOldUses(services, usageDays),
        close: () => uses.close(),
      };
    },
  };
}
