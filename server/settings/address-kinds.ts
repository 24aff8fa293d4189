import { BlockList, isIP } from "node:net";
import type { Kind, Reading } from "./kind.ts";

/** Whether a host name or address, bracketed or not, never leaves this machine. @see RFC 6761, section 6.3; RFC 1122, section 3.2.1.3 */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

/** An exact origin; a slash at the end is dropped, anything beyond it is refused. @see RFC 6454, section 4 */
export function exactOrigin(): Kind<string> {
  return {
    accepts: "scheme, host and port: https://app.example",
    unit: null,
    read: (text) => {
      // The URL parser repairs blanks, backslashes and dot segments; an origin that needs repair was mistyped.
      const [, bare = "", rest = ""] = /^(https?:\/\/[^/?#@\\\s*]+)((?:[/?#].*)?)$/is.exec(text) ?? [];
      const origin = originOf(bare);
      if (origin !== null && (rest === "" || rest === "/")) return { ok: true, value: origin };
      const meant = origin ?? originOf(/^[a-z0-9.-]+(?::\d+)?$/i.test(text) ? `https://${text}` : "");
      const problem = "is not an exact origin";
      if (meant === null)
        return { ok: false, problem, fix: "Write scheme, host and port alone, as in https://app.example." };
      return { ok: false, problem, fix: `Write scheme, host and port alone: ${meant}`, nearest: meant };
    },
  };
}

/** An exact origin, or `*` for every one. */
export function originOrAny(): Kind<string> {
  const origin = exactOrigin();
  return {
    ...origin,
    accepts: `${origin.accepts}; or *`,
    read: (text) => (text === "*" ? { ok: true, value: "*" } : origin.read(text)),
  };
}

/** The name or address of an interface to listen on. */
export function bindHost(): Kind<string> {
  return {
    accepts: "a host name or an IP address",
    unit: null,
    read: (text) => {
      const bare = text.toLowerCase().replace(/^\[(.*)\]$/, "$1");
      if (isIP(bare) === 6 && !bare.includes("%"))
        return { ok: true, value: new URL(`http://[${bare}]`).hostname.slice(1, -1) };
      if (isIP(bare) === 4 || (isHostName(bare) && !/^[\d.]+$/.test(bare))) return { ok: true, value: bare };
      return {
        ok: false,
        problem: "is no host name and no IP address",
        fix: "Write one, as in 127.0.0.1 or 0.0.0.0.",
      };
    },
  };
}

/** A domain name that cookies may be widened to; a leading dot, as older examples write it, is dropped. */
export function cookieDomain(): Kind<string> {
  return {
    accepts: "a domain name: example.com",
    unit: null,
    read: (text) => {
      const name = text.toLowerCase().replace(/^\./, "");
      if (isHostName(name) && name.includes(".") && isIP(name) === 0) return { ok: true, value: name };
      return {
        ok: false,
        problem: "is no domain name",
        fix: "Write it without scheme, port and path, as in example.com.",
      };
    },
  };
}

/** An address or a range of addresses; a single address is read as the range that holds it alone. @see RFC 4632 */
export function addressRange(): Kind<string> {
  return {
    accepts: "addresses or CIDR ranges: 10.0.0.0/8",
    unit: null,
    read: (text) => {
      const [address = "", prefix, ...rest] = text.split("/");
      const version = isIP(address);
      const bits = version === 4 ? 32 : 128;
      const isPrefix =
        prefix === undefined || (/^(?:0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= bits);
      if (version === 0 || address.includes("%") || !isPrefix || rest.length > 0) {
        return {
          ok: false,
          problem: "is no IP address and no CIDR range",
          fix: "Write them as in 10.0.0.0/8 or 2001:db8::/32.",
        };
      }
      return trustable(address, Number(prefix ?? bits), version === 4 ? "ipv4" : "ipv6");
    },
  };
}

// With prefix 0 every visitor would be a proxy and could choose the address that limits and the audit log see.
function trustable(address: string, prefix: number, family: "ipv4" | "ipv6"): Reading<string> {
  if (prefix === 0) {
    return {
      ok: false,
      problem: "covers every address",
      fix: "Name the ranges that your proxies really have.",
    };
  }
  new BlockList().addSubnet(address, prefix, family);
  return { ok: true, value: `${address}/${prefix}` };
}

function originOf(text: string): string | null {
  return URL.canParse(text) ? new URL(text).origin : null;
}

function isHostName(text: string): boolean {
  return text.length <= 253 && /^(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/.test(text);
}
