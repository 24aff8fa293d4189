import type { Principal, SignedIn } from "../domain/principal.ts";
import { asAuthError } from "../errors.ts";
import { withRequestId } from "../http/event-origin.ts";
import type { SessionChange } from "../ports/change.ts";
import { assertProtectable, type Guard, type Limiting, type Open } from "../ports/guard.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { SessionData } from "../ports/session-data.ts";
import { check, logFailure, type Pipeline, type Verdict } from "./check.ts";
import { errorResponse, type OnError } from "./respond.ts";
import { joined, seal } from "./seal.ts";

/** An application's handler behind the pipeline. */
export type Handler<R, P> = (request: R, principal: P, session: SessionData) => Response | Promise<Response>;

/** A handler with the pipeline around it. */
export type Bound<R> = (request: R, client: ClientInfo) => Promise<Response>;

/** Puts the pipeline around a handler; see `Auth.protect`. @throws TypeError for a handler or a guard that is none */
export interface Protect {
  <R extends AuthRequest>(
    handler: Handler<R, Principal>,
    open: Open,
    ...more: readonly (Open | Limiting)[]
  ): Bound<R>;
  <R extends AuthRequest>(handler: Handler<R, SignedIn>, ...guards: readonly Guard[]): Bound<R>;
}

/**
 * Makes `protect`. What a handler throws becomes an answer in the same place as what a guard refuses; an answer to
 * somebody who is signed in is never kept by a cache.
 */
export function protection(pipeline: Pipeline, onError: OnError | undefined): Protect {
  const { config } = pipeline.services;
  return <R extends AuthRequest>(handler: Handler<R, SignedIn>, ...guards: readonly Guard[]): Bound<R> => {
    assertProtectable(handler, guards);
    const respond = async (verdict: Verdict, request: R, client: ClientInfo): Promise<Response> => {
      if (!verdict.ok) return errorResponse(pipeline, verdict, request, client, onError);
      try {
        // With an open guard the handler is typed for anybody; the overloads see to it.
        const response = await handler(request, verdict.principal as SignedIn, verdict.session);
        const change = joined(verdict.session.change, verdict.change);
        if (change === undefined && !verdict.principal.isAuthenticated) return response;
        return seal(config, response, unsaid(change ?? {}, response, config.cookie.name));
      } catch (thrown) {
        const error = asAuthError(thrown);
        logFailure(pipeline.services, error);
        // A session that the handler's first `set` created is there: without its cookie nobody would ever come back to it.
        const change = joined(verdict.session.change, verdict.change);
        return errorResponse(pipeline, { ok: false, error, change }, request, client, onError);
      }
    };
    return async (request, peer) => {
      const client = withRequestId(peer, pipeline.services.random);
      const verdict = await check(pipeline, request, client, { guards, tellsAnswer: true });
      const response = await respond(verdict, request, client);
      verdict.answered?.(response.status);
      return response;
    };
  };
}

// What a handler says of the session is the last word: a browser that it signs out is not handed the cookie back that its check
// was about to renew.
function unsaid(change: SessionChange, response: Response, cookieName: string): SessionChange {
  if (change.session === undefined) return change;
  const isSaid = response.headers.getSetCookie().some((cookie) => cookie.startsWith(`${cookieName}=`));
  const { session: _, ...rest } = change;
  return isSaid ? rest : change;
}
