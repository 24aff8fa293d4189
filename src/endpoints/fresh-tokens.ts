import type { EventOrigin } from "../domain/event.ts";
import type { SignIn } from "../flows/sign-in/start-session.ts";
import type { IssuedTokens } from "../flows/tokens/mint-access-token.ts";
import { eventOrigin } from "../http/event-origin.ts";
import type { EndpointServices } from "./services.ts";
import { wireTokens } from "./wire-tokens.ts";

/** Makes `freshTokens` of the endpoints. @param tokensFor - of the feature that issues tokens; undefined where none is listed */
export function bindFreshTokens(
  tokensFor:
    | ((rotated: Pick<SignIn, "session" | "user">, from: EventOrigin) => Promise<IssuedTokens>)
    | undefined,
): EndpointServices["freshTokens"] {
  return async (rotated, { principal, request, client }) => {
    const cameWithToken = principal.isAuthenticated && principal.via === "jwt";
    if (tokensFor === undefined || !cameWithToken) return {};
    return wireTokens(await tokensFor(rotated, eventOrigin(request, client)));
  };
}
