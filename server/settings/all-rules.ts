import { advised } from "./advised-rules.ts";
import { mailInProduction, mailRules } from "./mail-rules.ts";
import { inProduction } from "./production-rules.ts";
import { providerRules } from "./provider-rules.ts";
import { everywhere, type Rule } from "./rules.ts";
import { sessionRules } from "./session-rules.ts";
import { settingsTable } from "./table.ts";

/** Every rule about settings, by where it holds. */
export const allRules: {
  /** Refuses to start anywhere. */
  readonly everywhere: readonly Rule[];
  /** Refuses to start in production. */
  readonly production: readonly Rule[];
  /** Refuses to start in production with PRODUCTION_SECURITY_STRICT_MODE. */
  readonly advised: readonly Rule[];
} = {
  everywhere: [
    ...everywhere,
    ...sessionRules,
    ...mailRules,
    ...providerRules((field) => settingsTable[field].name),
  ],
  production: [...inProduction, ...mailInProduction],
  advised,
};
