// The subpath `latchkey/tokens`.
export { type JwtOptions, type JwtReader, jwt } from "./features/jwt.ts";
export { type SigningKeyInfo, type Tokens, type TokensOptions, tokens } from "./features/tokens.ts";
export type { IssueOptions } from "./flows/tokens/issue-tokens.ts";
export type { AccessToken, IssuedTokens } from "./flows/tokens/mint-access-token.ts";
export type { RotatedKey } from "./flows/tokens/rotate-signing-key.ts";
export type { Algorithm } from "./jwt/algorithms.ts";
export type { Claims } from "./jwt/claims.ts";
export { createSigningKeyFile, type SigningKeyFileOptions, signingKeyFile } from "./jwt/key-file.ts";
export type { SigningAlgorithm } from "./jwt/key-ring.ts";
export type { KeySource } from "./jwt/key-source.ts";
export type { Jwk } from "./jwt/keys.ts";
export type { TokenPlace } from "./strategies/header-token.ts";
