import { type ApiKeys, bindApiKeys } from "../api/api-keys.ts";
import { isApiKeyEnvironment } from "../domain/api-key-text.ts";
import { apiKeyUses } from "../flows/api-key-uses.ts";
import { apiKeyFlows } from "../flows/api-keys.ts";
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
}

// Shared with other proofs, or written by the client's own HTTP.
const reserved = ["authorization", "cookie", "host", "origin", "proxy-authorization"];

/** API keys: for programs that act in a user's name. */
export function apiKeys({
  environment = "live",
  header = "X-API-Key",
}: ApiKeysOptions = {}): Feature<ApiKeys> {
  return {
    name: "api-keys",
    install(services) {
      if (!isApiKeyEnvironment(environment))
        throw new TypeError("apiKeys: environment is 1 to 16 of a-z 0-9");
      if (!/^[A-Za-z0-9-]{1,64}$/.test(header) || reserved.includes(header.toLowerCase()))
        throw new TypeError(`apiKeys: ${JSON.stringify(header)} is no header for keys; try X-API-Key`);
      const uses = apiKeyUses(services);
      const keys = bindApiKeys(apiKeyFlows(services, environment));
      return {
        api: keys,
        strategies: [apiKey(services, { environment, header, noteUse: uses.note })],
        routes: async (endpoints) => (await import("../endpoints/api-keys.ts")).apiKeyRoutes(keys, endpoints),
        close: () => uses.close(),
      };
    },
  };
}
