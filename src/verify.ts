// The subpath `latchkey/verify`: for services that accept the access tokens of a Latchkey that runs elsewhere.
export type { Claims } from "./jwt/claims.ts";
export { type Verifier, type VerifierOptions, verifier } from "./jwt/verifier.ts";
