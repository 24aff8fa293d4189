import type { Config } from "../config.ts";
import type { AuthRequest } from "../ports/request.ts";

const requestHeaders = ["Authorization", "Content-Type", "X-CSRF-Token", "X-API-Key"];

/** The answer to a preflight, or null for any other request and where no CORS is configured. @see WHATWG Fetch, section 3.3 */
export function preflight(config: Config, request: AuthRequest): Response | null {
  if (config.cors === null || request.method !== "OPTIONS") return null;
  if (!request.headers.get("access-control-request-method") || !request.headers.get("origin")) return null;
  const headers = new Headers(corsHeaders(config, request));
  headers.set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
  headers.set(
    "Access-Control-Allow-Headers",
    [...new Set([...requestHeaders, ...config.cors.headers])].join(", "),
  );
  headers.set("Access-Control-Max-Age", "600");
  return new Response(null, { status: 204, headers });
}

/** What a script may read of an answer besides the few headers that every one may. */
const exposed = ["Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id", "Link"].join(", ");

/** The headers that let a configured origin read an answer; for others only `Vary`. */
export function corsHeaders({ cors }: Config, request: AuthRequest): [name: string, value: string][] {
  if (cors === null) return [];
  if (cors.origins === "*") {
    return [
      ["Access-Control-Allow-Origin", "*"],
      ["Access-Control-Expose-Headers", exposed],
    ];
  }
  const origin = request.headers.get("origin");
  if (!origin || !cors.origins.includes(origin)) return [["Vary", "Origin"]];
  const headers: [string, string][] = [
    ["Access-Control-Allow-Origin", origin],
    ["Vary", "Origin"],
    ["Access-Control-Expose-Headers", exposed],
  ];
  if (cors.credentials) headers.push(["Access-Control-Allow-Credentials", "true"]);
  return headers;
}
