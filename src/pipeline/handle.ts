import { AuthError, asAuthError, type FieldError } from "../errors.ts";
import { type Body, readBody } from "../http/body.ts";
import { withRequestId } from "../http/event-origin.ts";
import { requestUrl } from "../http/next-path.ts";
import type { ClientInfo, RouteRequest } from "../ports/request.ts";
import type { InputSchema, Reply, ReplyFile, Route } from "../ports/route.ts";
import { type Allowed, check, logFailure, type Pipeline } from "./check.ts";
import { corsHeaders, preflight } from "./cors.ts";
import { errorResponse, type OnError } from "./respond.ts";
import type { RouteTable } from "./route-table.ts";
import { joined, sealOwn } from "./seal.ts";

/**
 * Answers a request to one of the routes: match, pipeline, body, handler, cookies.
 *
 * @returns null where no route has this path, so that the caller's own router goes on
 */
export async function handleRoute(
  pipeline: Pipeline,
  table: RouteTable,
  request: RouteRequest,
  peer: ClientInfo,
  onError: OnError | undefined,
): Promise<Response | null> {
  const { config } = pipeline.services;
  const url = requestUrl(request.url);
  const match = table.match(request.method, url.pathname);
  if (match === null) return null;
  const early = preflight(config, request);
  if (early !== null) return early;
  const client = withRequestId(peer, pipeline.services.random);
  const refuse = (error: AuthError) =>
    errorResponse(pipeline, { ok: false, error }, request, client, onError);
  const response =
    match.route === null
      ? withHeader(await refuse(new AuthError("method_not_allowed")), "Allow", match.allowed.join(", "))
      : await measured(pipeline, match.route, () =>
          runRoute(
            pipeline,
            match.route as Route,
            { request: withFields(request, config.maxBodyBytes), url, params: match.params, client },
            onError,
          ),
        );
  for (const [name, value] of corsHeaders(config, request)) response.headers.append(name, value);
  response.headers.set("X-Request-Id", client.requestId);
  return response;
}

function measured(
  { services }: Pipeline,
  { method, path }: Route,
  answer: () => Promise<Response>,
): Promise<Response> {
  const { telemetry } = services;
  if (telemetry === null) return answer();
  return telemetry.during({ kind: "route", name: `${method} ${path}` }, async (end) => {
    const response = await answer();
    end(String(response.status));
    return response;
  });
}

interface Running {
  readonly request: FieldRequest;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly client: Required<ClientInfo>;
}

async function runRoute(
  pipeline: Pipeline,
  route: Route,
  running: Running,
  onError: OnError | undefined,
): Promise<Response> {
  const { request, client } = running;
  const verdict = await check(pipeline, request, client, { ...route, tellsAnswer: true });
  const response = verdict.ok
    ? await runHandler(pipeline, route, running, verdict, onError)
    : await errorResponse(pipeline, verdict, request, client, onError);
  verdict.answered?.(response.status);
  return response;
}

async function runHandler(
  pipeline: Pipeline,
  route: Route,
  { request, url, params, client }: Running,
  { principal, change }: Allowed,
  onError: OnError | undefined,
): Promise<Response> {
  try {
    const input =
      route.input === undefined ? undefined : await validated(route.input, await request.bodyFields());
    const reply = await route.handle({ input, params, query: url.searchParams, principal, request, client });
    return answer(pipeline, reply, { url, stale: change });
  } catch (thrown) {
    const error = asAuthError(thrown);
    logFailure(pipeline.services, error);
    return errorResponse(pipeline, { ok: false, error, change }, request, client, onError);
  }
}

interface Answering {
  readonly url: URL;
  /** What the check had to say of the cookies. */
  readonly stale: Reply["change"];
}

function answer({ services }: Pipeline, reply: Reply, { url, stale }: Answering): Response {
  const { status, body, change, location, file } = reply;
  const headers = { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff" };
  const response =
    location !== undefined
      ? goingOn(status, location)
      : file !== undefined
        ? fileAnswer(status, file, url)
        : body === undefined
          ? new Response(null, { status })
          : new Response(JSON.stringify(body), { status, headers });
  return sealOwn(services.config, response, joined(change, stale) ?? {});
}

// Its own origin's page is what a browser would show it as: it is only ever saved.
function fileAnswer(status: number, { name, type, text, next }: ReplyFile, url: URL): Response {
  const headers = new Headers({ "Content-Type": type, "X-Content-Type-Options": "nosniff" });
  headers.set("Content-Disposition", `attachment; filename="${name.replace(/[^A-Za-z0-9._-]/g, "_")}"`);
  if (next !== undefined) {
    const query = new URLSearchParams({ ...Object.fromEntries(url.searchParams), ...next });
    headers.set("Link", `<${url.pathname}?${query}>; rel="next"`);
  }
  return new Response(text, { status, headers });
}

function goingOn(status: number, location: string): Response {
  if (status !== 200) return new Response(null, { status, headers: { Location: location } });
  const headers = { "Content-Type": "text/html; charset=utf-8", Refresh: `0; url=${location}` };
  return new Response("", { status, headers: { ...headers, "X-Content-Type-Options": "nosniff" } });
}

/** A request whose body is read at most once, for the CSRF field and the input alike. */
interface FieldRequest extends RouteRequest {
  bodyFields(): Promise<Body>;
}

function withFields(request: RouteRequest, maxBytes: number): FieldRequest {
  let fields: Promise<Body> | null = null;
  const bodyFields = (): Promise<Body> => {
    fields ??= readBody(request, maxBytes);
    return fields;
  };
  return {
    method: request.method,
    url: request.url,
    headers: request.headers,
    get body() {
      return request.body;
    },
    bodyFields,
    formField: async (name) => {
      const value = (await bodyFields())[name];
      return typeof value === "string" ? value : null;
    },
  };
}

async function validated(schema: InputSchema, body: Body): Promise<unknown> {
  const result = await schema["~standard"].validate(body);
  if (result.issues === undefined) return result.value;
  // One for each field, the first: an empty list where a text is wanted is also "too short", which helps nobody.
  const fields = new Map<string, FieldError>();
  for (const { message, path } of result.issues) {
    const first = path?.[0];
    const field = String((typeof first === "object" ? first.key : first) ?? "");
    if (!fields.has(field)) fields.set(field, { field, code: "invalid", message });
  }
  throw new AuthError("invalid_input", { fields: [...fields.values()] });
}

function withHeader(response: Response, name: string, value: string): Response {
  response.headers.set(name, value);
  return response;
}
