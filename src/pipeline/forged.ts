import { AuthError } from "../errors.ts";
import { originOf } from "../http/event-origin.ts";
import { namelessPath } from "../http/nameless-path.ts";
import { requestUrl } from "../http/next-path.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";
import type { Authenticated } from "./authenticate.ts";
import { csrfBinding } from "./csrf-binding.ts";
import { assertCsrfToken, assertOrigin } from "./origin.ts";

/** What the check for forged requests works with. */
export interface Forging {
  readonly services: Services;
  readonly isFormTokenValid: (token: string, binding: string) => boolean;
}

/** Both CSRF stages; a refusal is an event. @throws AuthError `origin_rejected`, `csrf_required`, `csrf_failed` */
export async function assertNotForged(
  { services, isFormTokenValid }: Forging,
  request: AuthRequest,
  client: ClientInfo,
  { who, originOnly }: { readonly who: Authenticated; readonly originOnly: boolean },
): Promise<void> {
  const { config, keys } = services;
  if (!config.csrf) return;
  try {
    assertOrigin(request, config);
    if (originOnly) return;
    const binding = csrfBinding(who) ?? "";
    await assertCsrfToken(request, { keys, binding, isFormTokenValid, maxBodyBytes: config.maxBodyBytes });
  } catch (error) {
    tellForged(services, request, client, who, error);
    throw error;
  }
}

/** The first stage alone, of a request whose proof is not looked at before. @throws AuthError `origin_rejected` */
export function assertOwnOrigin(
  services: Services,
  request: AuthRequest,
  client: ClientInfo,
  who: Authenticated,
): void {
  try {
    assertOrigin(request, services.config);
  } catch (error) {
    tellForged(services, request, client, who, error);
    throw error;
  }
}

function tellForged(
  { config, events, random }: Services,
  request: AuthRequest,
  client: ClientInfo,
  { session, principal }: Authenticated,
  error: unknown,
): void {
  const stage = error instanceof AuthError && error.code === "origin_rejected" ? "origin" : "token";
  const { pathname } = requestUrl(request.url);
  const path = namelessPath(pathname, config.basePath).slice(0, 200);
  const payload = { method: request.method, path, stage } as const;
  const userId = principal.user?.id ?? null;
  const from = originOf(principal, request, client, random);
  events.report({ type: "csrf.refused", userId, sessionId: session?.id ?? null, payload }, from);
}
