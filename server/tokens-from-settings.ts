import type { Feature } from "latchkey";
import { type SigningAlgorithm, signingKeyFile, type Tokens, tokens } from "latchkey/tokens";
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
    ...(algorithm !== null && { keys: signingKeyFile({ path, algorithm }) }),
  });
}
