import { clientIp } from "latchkey";
import { securityHeaders } from "../security-headers.ts";
import { type Check, checksOf, found, type Outcome, ok, skipped, unknown } from "./check.ts";
import { sameClock } from "./database-checks.ts";
import type { DiagnosisFacts, Facts, ServerFacts } from "./facts.ts";

/** Checks of the running server, and of what stands in front of it. */
export const serverChecks: readonly Check[] = checksOf("server", [
  {
    id: "server-ready",
    title: "The server is ready",
    severity: "error",
    check: ({ readyStatus }) =>
      readyStatus === 200
        ? ok
        : found(
            `/readyz says ${readyStatus}`,
            "Look into its log: a store does not answer, or it is stopping.",
          ),
  },
  {
    id: "server-secret",
    title: "The server goes by the same secret",
    severity: "error",
    check: ({ diagnosis, url }) =>
      diagnosis !== null
        ? ok
        : found(
            `what answers at ${url} does not know it`,
            "Start every server with the same SECRET_KEY, and run the doctor with the server's settings; or the address leads elsewhere.",
          ),
  },
  {
    id: "server-origin",
    title: "The server goes by the same origin",
    severity: "error",
    check: ofDiagnosis(({ origin }, _, { settings }) => {
      if (settings.origin === null) return skipped("none is configured");
      return origin === settings.origin
        ? ok
        : found(`it goes by ${origin}`, "Start it anew with the ORIGIN that browsers show.");
    }),
  },
  {
    id: "server-settings",
    title: "The server was started with these settings",
    severity: "warning",
    check: ofDiagnosis(({ hasSameSettings }) =>
      hasSameSettings
        ? ok
        : found("with others", "Start it anew, or run the doctor in the server's folder and environment."),
    ),
  },
  {
    id: "server-version",
    title: "The server is of this version",
    severity: "warning",
    check: ofDiagnosis(({ version }, _, { thisVersion }) =>
      version === thisVersion
        ? ok
        : found(`it is ${version}, this is ${thisVersion}`, "Start it anew after an installation."),
    ),
  },
  {
    id: "server-clock",
    title: "The server's clock is this machine's",
    severity: "warning",
    check: ofDiagnosis(({ clockSkewMs }) => sameClock(clockSkewMs)),
  },
  {
    id: "proxy-trusted",
    title: "The proxy that the server sees is a trusted one",
    severity: "error",
    check: ofProxy(({ peer, client, forwardedFor, selves }, _, { settings: { trustedProxies } }) => {
      if (client === null) return ok;
      if (client === peer && !isTrusted(peer, trustedProxies))
        return found(
          `requests come from ${peer}, which is not in TRUSTED_PROXIES`,
          `Add ${peer}: until then everybody is one client, and limits hit all at once.`,
        );
      if (client === peer && clientIp(trustedProxies)(peer, forwardedFor.join()) !== peer)
        return found(`${peer} is in TRUSTED_PROXIES, and the server does not trust it`, "Start it anew.");
      // A trusted address is a client's where this machine is that client, and nowhere else.
      const isSelf = selves.includes(client) && forwardedFor.includes(client);
      return isSelf || !isTrusted(client, trustedProxies)
        ? ok
        : found(
            `the client is taken to be ${client}, which is in TRUSTED_PROXIES`,
            "Let the first proxy write its peer's address into X-Forwarded-For and each behind it add its own peer's; take clients' networks out of TRUSTED_PROXIES.",
          );
    }),
  },
  {
    id: "proxy-hops",
    title: "Every proxy on the way is a trusted one",
    severity: "error",
    check: ofProxy(({ forwardedFor, client, peer, forged }) => {
      const own = forged === null ? -1 : forwardedFor.indexOf(forged);
      const sender = forwardedFor[own + 1];
      if (client === peer || client === forged || sender === undefined || client === sender) return ok;
      return found(
        `the client is taken to be ${client}, which is a proxy: the request came from ${sender}`,
        `Add ${client} to TRUSTED_PROXIES.`,
      );
    }),
  },
  {
    id: "proxy-unforgeable",
    title: "Nobody chooses the address that the server sees",
    severity: "error",
    check: ofProxy(({ client, forged, forwardedFor, selves }, _, { settings }) => {
      if (forged === null) return skipped("nothing was forged");
      if (client !== forged) return ok;
      // As the first proxy saw this machine; none added anything where the header came through as it was.
      const self = forwardedFor[forwardedFor.indexOf(forged) + 1];
      if (self !== undefined && selves.includes(self) && isTrusted(self, settings.trustedProxies))
        return skipped("this machine is a trusted proxy itself: ask from another one");
      return found(
        "an address that the request made up was believed",
        "Let the proxy add the peer's address to X-Forwarded-For, or replace the header; take clients' networks out of TRUSTED_PROXIES.",
      );
    }),
  },
  {
    id: "proxy-header-read",
    title: "The proxy says who the client is in the header that is read",
    severity: "warning",
    check: ofDiagnosis(({ forwardedFor, forged, otherForwarding }, { isByOrigin }) => {
      if (!isByOrigin) return skipped("the server was asked directly");
      const hasTold = forwardedFor.some((address) => address !== forged);
      return hasTold || otherForwarding.length === 0
        ? ok
        : found(
            `${otherForwarding.join(", ")} came in, and no X-Forwarded-For`,
            "Let the proxy write X-Forwarded-For; nothing else is read.",
          );
    }),
  },
  {
    id: "metrics-private",
    title: "Nobody reads the metrics through the proxy",
    severity: "error",
    check: byOrigin(({ hasOpenMetrics }) =>
      hasOpenMetrics
        ? found("/metrics answers without a token", "Set METRICS_TOKEN, or let the proxy refuse /metrics.")
        : ok,
    ),
  },
  {
    id: "https-alone",
    title: "Over http nothing is served",
    severity: "warning",
    scope: "production",
    check: ({ overHttp }) => {
      if (overHttp === null) return skipped("the origin was not asked");
      return overHttp === "served"
        ? found("pages", "Let the proxy send http:// to https://, and nothing else.")
        : ok;
    },
  },
  {
    id: "https-remembered",
    title: "Browsers are told to use https from now on",
    severity: "warning",
    scope: "production",
    check: byOrigin(({ headers }) =>
      /max-age=[1-9]\d{6,}/.test(headers["strict-transport-security"] ?? "")
        ? ok
        : found(
            headers["strict-transport-security"] ?? "no Strict-Transport-Security",
            "Let the proxy pass the header on as it is.",
          ),
    ),
  },
  {
    id: "headers-kept",
    title: "Security headers reach the browser as the server sends them",
    severity: "warning",
    check: ({ headers }, { settings }) => {
      const lost = securityHeaders(settings.origin ?? "http://localhost")
        .filter(([name]) => name.toLowerCase() !== "strict-transport-security")
        .flatMap(([name]) => (headers[name.toLowerCase()] === undefined ? [name] : []));
      return lost.length === 0 ? ok : found(`without ${lost.join(", ")}`, "Let the proxy pass them on.");
    },
  },
  {
    id: "answers-uncached",
    title: "No cache answers for the server",
    severity: "error",
    check: ({ headers }) =>
      headers.age !== undefined || /\bhit\b/i.test(headers["x-cache"] ?? headers["cf-cache-status"] ?? "")
        ? found("the sign-in page came from a cache", "Let the cache keep what says no-store to itself.")
        : ok,
  },
]);

/** Whether the server would believe this address. */
function isTrusted(address: string, trustedProxies: readonly string[]): boolean {
  const somebody = "198.51.100.1";
  return clientIp(trustedProxies)(address, somebody) === somebody;
}

type Of<S> = (subject: S, server: ServerFacts, facts: Facts) => Outcome;

function ofDiagnosis(check: Of<DiagnosisFacts>) {
  return (server: ServerFacts, facts: Facts): Outcome =>
    server.diagnosis === null
      ? unknown("the server says nothing of itself")
      : check(server.diagnosis, server, facts);
}

/** Where something in front of the server forwarded the request. */
function ofProxy(check: Of<DiagnosisFacts>) {
  return ofDiagnosis((diagnosis, server, facts) => {
    if (!server.isByOrigin) return skipped("the server was asked directly");
    const hasProxy = diagnosis.forwardedFor.some((address) => address !== diagnosis.forged);
    return hasProxy || diagnosis.client === diagnosis.forged
      ? check(diagnosis, server, facts)
      : skipped("nothing in front of it forwards");
  });
}

function byOrigin(check: (server: ServerFacts) => Outcome) {
  return (server: ServerFacts): Outcome =>
    server.isByOrigin ? check(server) : skipped("the server was asked directly");
}
