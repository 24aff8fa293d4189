import { type ErrorCode, errorTable } from "../errors.ts";
import type { Route } from "../ports/route.ts";

/** A noun that operations are grouped by. */
export interface Noun {
  readonly name: string;
  readonly description: string;
  /** Beginnings of paths below the base path, or at the root. */
  readonly paths: readonly string[];
}

/** The nouns in the order in which they are read. Of two whose paths fit, the longer path counts. */
export const nouns: readonly Noun[] = [
  noun("Sign-in", "Registering, signing in and out, who it is.", "/auth"),
  noun(
    "Sign-in by mail",
    "Links and codes that go to somebody's address.",
    ...["/auth/password", "/auth/email", "/auth/magic-link", "/auth/email-code"],
  ),
  noun("Sign-in with providers", "Accounts elsewhere, and linking them.", "/auth/oauth"),
  noun("Account", "What somebody sees and changes of themselves.", "/users/me"),
  noun("Sessions", "Where somebody is signed in.", "/users/me/sessions"),
  noun("API keys", "Proofs for programs.", "/api-keys"),
  noun(
    "Tokens",
    "Access and refresh tokens, and the keys they are verified with.",
    "/auth/token",
    "/.well-known",
  ),
  noun("Tickets", "Single use, for opening a WebSocket.", "/auth/ticket"),
  noun(
    "Administration",
    "Accounts of others, invitations, the audit log.",
    ...["/users", "/invitations", "/audit", "/stats", "/auth/impersonation"],
  ),
  noun("Tiers", "Plans and their limits.", "/tiers"),
  noun("Operation", "Whether the server works, and this document.", "/healthz", "/readyz", "/openapi.json"),
];

const others: Noun = { name: "Other", description: "Everything else.", paths: [] };

/** The noun that a route is about. */
export function nounOf({ path }: Pick<Route, "path">): Noun {
  const length = ({ paths }: Noun): number =>
    Math.max(0, ...paths.filter((begin) => isBelow(path, begin)).map((begin) => begin.length));
  return nouns.reduce((best, each) => (length(each) > length(best) ? each : best), others);
}

/** Who may call a route, and how often, in sentences. */
export function conditionsOf({ guards, limit }: Pick<Route, "guards" | "limit">): readonly string[] {
  const asked = guards.filter(({ asksAnonymous }) => !asksAnonymous).map(({ name }) => sentence(name));
  const rate =
    limit === undefined ? [] : [`At most ${limit.limit} per address in ${time(limit.windowSeconds)}.`];
  return [...(asked.length === 0 ? ["Open to anyone."] : asked), ...rate];
}

/**
 * The codes with which a request to this route can be refused, by status: before its handler, by any handler, and those that its
 * row names. Whatever else there is, is under `default`.
 */
export function refusalsOf(route: Route): ReadonlyMap<number, readonly ErrorCode[]> {
  const needsProof = !route.guards.every(({ asksAnonymous }) => asksAnonymous);
  const isUnsafe = route.method !== "GET" && route.changesNothing !== true;
  const codes: readonly ErrorCode[] = [
    ...(route.refuses ?? []),
    ...when(
      route.input !== undefined,
      "invalid_input",
      "malformed_json",
      "payload_too_large",
      "unsupported_media_type",
    ),
    ...when(needsProof, "not_authenticated", "session_expired"),
    ...when(needsProof && !route.guards.some((each) => each.whilePasswordChange), "password_change_required"),
    ...when(
      route.guards.some(({ name }) => name.includes("(")),
      "forbidden",
    ),
    ...when(isUnsafe && needsProof, "csrf_required", "csrf_failed"),
    ...when(isUnsafe && (needsProof || route.startsSession === true), "origin_rejected"),
    ...when(route.path.includes("{"), "not_found"),
    ...when(route.limit !== undefined, "rate_limited"),
    ...when(route.looksAtNobody !== true, "store_unavailable"),
  ];
  const byStatus = new Map<number, ErrorCode[]>();
  for (const { code, status } of errorTable().filter((row) => codes.includes(row.code)))
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  return byStatus;
}

function when(is: boolean, ...codes: readonly ErrorCode[]): readonly ErrorCode[] {
  return is ? codes : [];
}

function noun(name: string, description: string, ...paths: readonly string[]): Noun {
  return { name, description, paths };
}

function isBelow(path: string, begin: string): boolean {
  return path === begin || path.startsWith(`${begin}/`);
}

function sentence(guardName: string): string {
  if (guardName === "signedIn") return "Needs somebody who is signed in.";
  const [, kind, of] = /^(\w+)\((.*)\)$/.exec(guardName) ?? [];
  return kind === undefined ? `Needs ${guardName}.` : `Needs the ${kind} \`${of}\`.`;
}

function time(seconds: number): string {
  if (seconds % 3600 === 0) return seconds === 3600 ? "an hour" : `${seconds / 3600} hours`;
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
