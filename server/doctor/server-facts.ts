import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { clientIp } from "latchkey";
import { isLoopbackHost } from "../settings/address-kinds.ts";
import type { Settings } from "../settings/settings.ts";
import { type DiagnosisDocument, diagnosisPath, markOf, proofHeader, proofOf } from "./diagnosis.ts";
import type { DiagnosisFacts, Looked, ServerFacts } from "./facts.ts";
import { reason } from "./reason.ts";

/** How long one answer may take. */
const patienceMs = 5_000;
/** An address that belongs to nobody. @see RFC 5737 */
const nobodysAddress = "192.0.2.77";

/** What {@link serverFacts} works with. */
export interface ServerQuestion {
  readonly settings: Settings;
  /** Null: the configured origin, then this machine. */
  readonly url: string | null;
  /** The secret to prove; null where there is none yet. */
  readonly secret: string | null;
}

/** Asks the running server, through what stands in front of it where the origin can be reached. */
export async function serverFacts(question: ServerQuestion): Promise<Looked<ServerFacts>> {
  const { settings, url } = question;
  const failures: string[] = [];
  for (const base of url === null ? placesOf(settings) : [url.replace(/\/$/, "")]) {
    try {
      return { state: "known", value: await facts(base, question) };
    } catch (error) {
      failures.push(`nothing answers at ${base} (${causeOf(error)})`);
    }
  }
  if (failures.length === 0) return { state: "absent", why: "PORT=0 tells nobody where it is; give --url" };
  // On one's own machine a server that does not run is no finding.
  const isExpected = url !== null || settings.isProduction;
  return { state: isExpected ? "unknown" : "absent", why: failures.join("; ") };
}

function placesOf(settings: Settings): readonly string[] {
  const { origin, isProduction } = settings;
  const here = directPlaces(settings);
  return isProduction && origin !== null ? [origin, ...here] : here;
}

function directPlaces({ host, port }: Settings): readonly string[] {
  if (port === 0) return [];
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return [`http://${name.includes(":") ? `[${name}]` : name}:${port}`];
}

async function facts(base: string, { settings, secret, url }: ServerQuestion): Promise<ServerFacts> {
  // What the server listens on itself is the way past the proxy.
  const isByOrigin = base === settings.origin || (url !== null && !directPlaces(settings).includes(base));
  const ready = await ask(`${base}/readyz`);
  const page = await ask(`${base}${settings.loginPath}`, { accept: "text/html" });
  return {
    url: base,
    isByOrigin,
    readyStatus: ready.status,
    headers: Object.fromEntries(page.headers),
    hasOpenMetrics: (await ask(`${base}/metrics`)).status === 200,
    overHttp: isByOrigin && base.startsWith("https:") ? await overHttp(base, settings) : null,
    diagnosis: secret === null ? null : await diagnosisFacts(base, { settings, secret, isByOrigin }),
  };
}

interface Proven {
  readonly settings: Settings;
  readonly secret: string;
  readonly isByOrigin: boolean;
}

async function diagnosisFacts(
  base: string,
  { settings, secret, isByOrigin }: Proven,
): Promise<DiagnosisFacts | null> {
  // Asked directly, this machine is the proxy that may say so.
  const forged = isByOrigin ? nobodysAddress : null;
  const before = Date.now();
  const answer = await ask(base + diagnosisPath, {
    [proofHeader]: proofOf(secret, new Date(before)),
    ...(forged !== null && { "x-forwarded-for": forged }),
  });
  if (answer.status !== 200) return null;
  const told = (await answer.json()) as DiagnosisDocument;
  return {
    version: told.version,
    origin: told.origin,
    clockSkewMs: Math.round(Date.parse(told.time) - (before + Date.now()) / 2),
    hasSameSettings: told.settings_mark === markOf(settings, secret),
    peer: told.peer,
    forwardedFor: (told.forwarded_for ?? "")
      .split(",")
      .flatMap((part) => (part.trim() === "" ? [] : [withoutPort(part.trim())])),
    client: told.client,
    forged,
    selves: await selvesBefore(base),
    otherForwarding: told.other_forwarding,
  };
}

/** An address as the server reads it, where some proxies write a port beside it; what is no address stays as it is. */
function withoutPort(hop: string): string {
  const told = clientIp([nobodysAddress])(nobodysAddress, hop) ?? nobodysAddress;
  return told === nobodysAddress ? hop : told;
}

/** The addresses under which what listens at `base` may know this machine; none where they cannot be told. */
async function selvesBefore(base: string): Promise<readonly string[]> {
  const { protocol, hostname, port } = new URL(base);
  const own = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  const socket = connect({
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port || (protocol === "https:" ? 443 : 80)),
  });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(patienceMs) });
    const { remoteAddress = "", localAddress = "" } = socket;
    // What is on this machine may be asked by any of its addresses: that of a container's network for one.
    const isHere = isLoopbackHost(remoteAddress) || own.includes(remoteAddress);
    return isHere ? own : [localAddress];
  } catch {
    return [];
  } finally {
    socket.destroy();
  }
}

async function overHttp(origin: string, { loginPath }: Settings): Promise<ServerFacts["overHttp"]> {
  const { hostname } = new URL(origin);
  try {
    const { status, headers } = await ask(`http://${hostname}${loginPath}`);
    if (status < 300) return "served";
    return headers.get("location")?.startsWith("https:") === true ? "redirect" : "refused";
  } catch {
    return "refused";
  }
}

function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(patienceMs) });
}

function causeOf(error: unknown): string {
  return reason(error instanceof Error && error.cause !== undefined ? error.cause : error);
}
