import { type ApiKeys, apiKeys, type Feature } from "latchkey";
import type { Settings } from "./settings/settings.ts";

/** API keys as the settings describe them. */
export function apiKeysFromSettings(settings: Settings): Feature<ApiKeys> {
  return apiKeys({
    environment: settings.apiKeyEnvironment,
    header: settings.apiKeyHeader,
    usageDays: settings.apiKeyUsageDays,
  });
}
