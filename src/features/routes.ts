import type { Config } from "../config.ts";
import type { User } from "../domain/user.ts";
import type { EndpointServices } from "../endpoints/services.ts";
import { anyone, signedIn } from "../guards/guards.ts";
import type { Route } from "../ports/route.ts";
import type { Features } from "./installed.ts";

/** What {@link loadRoutes} works with. */
export interface RouteParts extends Pick<EndpointServices, "users" | "sessions"> {
  readonly config: Config;
  readonly features: Features;
  readonly isReady: () => Promise<boolean>;
}

/** Loads the table of Latchkey's own routes, those of the features first: importing the library loads none of them. */
export async function loadRoutes({
  config,
  features,
  users,
  sessions,
  isReady,
}: RouteParts): Promise<readonly Route[]> {
  const whilePasswordChange = true;
  const guards = {
    // What strangers may do, so may who has to choose another password first: none of these rows looks at who it is.
    anyone: anyone({ whilePasswordChange }),
    signedIn: signedIn(),
    signedInAnyhow: signedIn({ whilePasswordChange }),
  };
  const { bindFreshTokens } = await import("../endpoints/fresh-tokens.ts");
  const tokensFor = [...features.values()].find((feature) => feature.tokensFor !== undefined)?.tokensFor;
  const { wireUser } = await import("../endpoints/wire.ts");
  const showUser = async (user: User) => wireUser(user, await users.tierOf(user));
  const endpoints = { users, sessions, guards, showUser, freshTokens: bindFreshTokens(tokensFor) };
  const { sessionRoutes } = await import("../endpoints/sessions.ts");
  const { ownAccountRoutes, ownSessionRoutes } = await import("../endpoints/users.ts");
  const { healthRoutes } = await import("../endpoints/health.ts");
  const { openApiRoute } = await import("../endpoints/openapi.ts");
  const ofFeatures = await Promise.all(
    [...features.values()].map(async (feature) => (await feature.routes?.(endpoints)) ?? []),
  );
  const routes: Route[] = [
    ...ofFeatures.flat(),
    ...sessionRoutes(endpoints),
    ...ownAccountRoutes(endpoints),
    ...ownSessionRoutes(endpoints),
    ...healthRoutes(guards.anyone, isReady),
  ];
  routes.push(openApiRoute(guards.anyone, () => routes, config));
  return routes;
}
