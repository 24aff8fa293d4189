import type { EventOrigin } from "../../domain/event.ts";
import { AuthError } from "../../errors.ts";
import type { ProviderClient } from "../../oauth/client.ts";
import { ProviderRefusal } from "../../oauth/refusal.ts";
import type { OAuthServices } from "./services.ts";

/** Whose refusal it is. */
export interface Refused {
  readonly provider: string;
  readonly from: EventOrigin;
  readonly userId?: string | null;
}

/** Tells of a refusal. */
export function reportRefusal(
  { events }: OAuthServices,
  { provider, from, userId = null }: Refused,
  reason: string,
): void {
  events.report({ type: "oauth.refused", userId, sessionId: null, payload: { provider, reason } }, from);
}

/** The refusal of an answer that does not belong to what this browser began. */
export function foreignAnswer(services: OAuthServices, refused: Refused, reason: string): AuthError {
  reportRefusal(services, refused, reason);
  return new AuthError("provider_refused", { diagnosis: reason });
}

/** Takes a step with a provider; what it refuses is on record. @throws AuthError `provider_refused`, `provider_unavailable` */
export async function withProvider<T>(
  services: OAuthServices,
  { provider }: ProviderClient,
  from: EventOrigin,
  step: Promise<T>,
): Promise<T> {
  try {
    return await step;
  } catch (thrown) {
    if (!(thrown instanceof ProviderRefusal)) throw thrown;
    const { reason, isOutage, codes } = thrown;
    reportRefusal(services, { provider: provider.name, from }, reason);
    // The library's errors hold the provider's whole answer, tokens and all: the cause stays here.
    const diagnosis = `${provider.name}: ${reason} ${codes}`.trim();
    if (isOutage) throw new AuthError("provider_unavailable", { diagnosis });
    if (reason !== "access_denied") throw new AuthError("provider_refused", { diagnosis });
    const message = `You did not allow signing in with ${provider.label}.`;
    throw new AuthError("provider_refused", { message, diagnosis });
  }
}

/** The provider of this name. @throws AuthError `not_found`, saying what to set where that is known */
export function configuredProvider({ clients, unconfigured }: OAuthServices, name: string): ProviderClient {
  const client = clients.get(name);
  if (client !== undefined) return client;
  const message = Object.hasOwn(unconfigured, name) ? unconfigured[name] : undefined;
  throw new AuthError("not_found", { message: message ?? "No such provider is configured." });
}
