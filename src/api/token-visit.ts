import { type Authenticated, authenticate } from "../pipeline/authenticate.ts";
import type { Pipeline } from "../pipeline/check.ts";
import type { Visit } from "./visit.ts";

/** What a token may be written with, and how long it may be: what a cookie of ours can carry. */
const tokenText = /^[A-Za-z0-9._~-]{1,4096}$/;

/**
 * Who holds a session token that came by other means than the cookie: the strategy for the cookie is asked, so that both are judged by
 * the same rules. Other proofs that came along count for nothing.
 */
export async function holderOf(pipeline: Pipeline, token: string, visit?: Visit): Promise<Authenticated> {
  const { config } = pipeline.services;
  // Of another text `; name=value` would make a second cookie.
  const cookie = tokenText.test(token) ? `${config.cookie.name}=${token}` : null;
  const get = (name: string): string | null =>
    name.toLowerCase() === "cookie" ? cookie : (visit?.request.headers.get(name) ?? null);
  const cookies = pipeline.strategies.filter(({ name }) => name === "session");
  const request = { method: "GET", url: "/", headers: { get } };
  return authenticate(cookies, request, visit?.client ?? { ip: null });
}
