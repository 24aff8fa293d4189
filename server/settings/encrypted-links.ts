import { isLoopbackHost } from "./address-kinds.ts";
import type { DatabaseAddress } from "./database-url.ts";
import { sessionPlace } from "./session-place.ts";
import type { Given } from "./settings.ts";

/** What an address says of the server of the sessions. */
export interface SessionServer {
  /** Whether what is sent there stays on this machine. */
  readonly isLocal: boolean;
  readonly isTls: boolean;
  readonly hasPassword: boolean;
}

/** Whether what is sent to the database stays on this machine, or goes over TLS to a server whose name is checked. */
export function isEncryptedDatabase(database: DatabaseAddress): boolean {
  if (database.engine === "sqlite") return true;
  if (database.engine === "mysql")
    return database.isTls || database.socketPath !== null || isLoopbackHost(database.host);
  const { hostname, searchParams } = new URL(database.url);
  const host = hostname === "" ? (searchParams.get("host") ?? "") : hostname;
  if (host.startsWith("/") || isLoopbackHost(host)) return true;
  return searchParams.get("sslmode") === "verify-full";
}

/** The same for sessions; true where they have no server of their own. */
export function isEncryptedSessionServer(given: Given): boolean {
  const server = serverOfSessions(given);
  return server === null || server.isLocal || server.isTls;
}

/** What is known of the server of the sessions; null where they have none of their own. */
export function serverOfSessions(given: Given): SessionServer | null {
  const place = sessionPlace(given);
  switch (place.backend) {
    case "redis":
    case "valkey": {
      const { nodes, isTls, password } = place.address;
      return {
        isLocal: nodes.every(({ host }) => isLoopbackHost(host)),
        isTls,
        hasPassword: password !== null,
      };
    }
    case "memcached":
      return {
        isLocal: place.nodes.every(({ host }) => isLoopbackHost(host)),
        isTls: false,
        hasPassword: false,
      };
    case "mongodb":
      return ofMongodb(place.address.url);
    default:
      return null;
  }
}

function ofMongodb(url: string): SessionServer {
  const [, srv, auth, hosts = "", query = ""] =
    /^mongodb(\+srv)?:\/\/(?:([^@/]*)@)?([^/?]*)[^?]*(\?.*)?$/i.exec(url) ?? [];
  const parameters = new URLSearchParams(query);
  const tls = parameters.get("tls") ?? parameters.get("ssl");
  return {
    isLocal: hosts.split(",").every((host) => isLoopbackHost(host.replace(/:\d+$/, ""))),
    // The SRV form is over TLS unless it says otherwise.
    isTls: tls === null ? srv !== undefined : tls === "true",
    hasPassword: auth?.includes(":") === true || parameters.has("tlsCertificateKeyFile"),
  };
}
