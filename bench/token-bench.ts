import { hkdfSync } from "node:crypto";
import type { AuthOptions, Feature } from "latchkey";
import { signingKeyFile, type Tokens, tokens } from "latchkey/tokens";

const secret = "a secret of the benchmark, 32 bytes and more";

/** What the servers of the benchmark of tokens have in common with whoever issues them. */
export const tokenBench: Pick<AuthOptions, "origin" | "secrets"> = {
  origin: "http://localhost:3000",
  secrets: [secret],
};

/** The feature with HS256, or with the keys of a file. Tokens last as long as a long run. */
export function tokensFeature(keyFile: string): Feature<Tokens> {
  const keys = keyFile === "" ? {} : { keys: signingKeyFile({ path: keyFile }) };
  return tokens({ refresh: false, expiresInMinutes: 600, ...keys });
}

/** The key of HS256, base64url, for who verifies by hand. */
export function hmacKey(): string {
  return Buffer.from(hkdfSync("sha256", secret, "", "latchkey/1/access-token", 32)).toString("base64url");
}
