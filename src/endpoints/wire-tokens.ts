import * as z from "zod/mini";
import type { IssuedTokens } from "../flows/tokens/mint-access-token.ts";

const tokenFields = {
  access_token: z.string(),
  token_type: z.literal("Bearer"),
  expires_in: z.int(),
  refresh_token: z.optional(z.string()),
};

/** Tokens on the wire. @see RFC 6749, section 5.1 */
export const tokensShape: z.ZodMiniObject = z.object(tokenFields);

/** Tokens as the wire spells them; no `refresh_token` where there is none. */
export function wireTokens(issued: IssuedTokens): Readonly<Record<string, unknown>> {
  return {
    access_token: issued.accessToken,
    token_type: "Bearer",
    expires_in: issued.expiresInSeconds,
    ...(issued.refreshToken !== null && { refresh_token: issued.refreshToken }),
  };
}
