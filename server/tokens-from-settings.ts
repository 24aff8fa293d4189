import type { Feature } from "latchkey";
import { type KeySource, type SigningAlgorithm, signingKeyFile, type Tokens, tokens } from "latchkey/tokens";
import type { Settings } from "./settings/settings.ts";

/** What the words of TOKEN_ALGORITHM stand for; null: no signing keys of its own. */
const algorithms = { hs256: null, es256: "ES256", eddsa: "EdDSA" } as const;

/** What signing keys are for; null where tokens are signed with a key of the secret. */
export function signingAlgorithm({ tokenAlgorithm }: Settings): SigningAlgorithm | null {
  return algorithms[tokenAlgorithm];
}

/** Access and refresh tokens as the settings describe them. Where they name a key file, `createAuth` opens it. */
export function tokensFromSettings(settings: Settings): Feature<Tokens> {
  const { tokenKeyFile: path, tokenExpiresInSeconds } = settings;
  const algorithm = signingAlgorithm(settings);
  return tokens({
    refresh: settings.tokenRefresh,
    sessionDays: settings.tokenSessionSeconds / 86_400,
    ...(tokenExpiresInSeconds !== null && { expiresInMinutes: tokenExpiresInSeconds / 60 }),
    ...(algorithm !== null && { keys: ofSetting(signingKeyFile({ path, algorithm })) }),
  });
}

/** The same keys; where they cannot be used, the setting to look at is named. */
function ofSetting(keys: KeySource): KeySource {
  return {
    open(surroundings) {
      try {
        return keys.open(surroundings);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new TypeError(`TOKEN_KEY_FILE: ${reason}`, { cause });
      }
    },
  };
}
