import { BlockList, isIP } from "node:net";
import { plainIp } from "../domain/ip.ts";

/** Reads the client's address of a request. */
export type ClientIp = (
  socketAddress: string | undefined,
  forwardedFor: string | null | undefined,
) => string | null;

/**
 * Tells the client's address: the socket's, unless that is a trusted proxy. Then `X-Forwarded-For` is read from its end,
 * and the first address that is no trusted proxy is the client; what stands before it was written by the client itself.
 *
 * @param trustedProxies - CIDRs or addresses; none by default, so that nobody can choose an address of their own
 * @throws TypeError for what is no CIDR
 */
export function clientIp(trustedProxies: readonly string[] = []): ClientIp {
  // Where nobody is trusted the header is not looked at.
  if (trustedProxies.length === 0) return (socketAddress) => plainIp(socketAddress ?? "");
  const proxies = blockList(trustedProxies);
  return (socketAddress, forwardedFor) => {
    const peer = addressOf(socketAddress ?? "");
    if (peer === null || !isIn(proxies, peer) || !forwardedFor) return peer;
    let client = peer;
    for (const hop of forwardedFor.slice(-2_048).split(",").reverse()) {
      const address = addressOf(hop.trim());
      if (address === null) break;
      client = address;
      if (!isIn(proxies, address)) break;
    }
    return client;
  };
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const { address, bits } = network(cidr);
    list.addSubnet(address, bits, familyOf(address));
  }
  return list;
}

// Digits alone count as a prefix: `10.0.0.0/` read as a number would be /0, and trust everybody.
function network(cidr: string): { readonly address: string; readonly bits: number } {
  const [given = "", prefix, ...more] = cidr.split("/");
  const address = plainIp(given);
  const most = isIP(given) === 6 ? 128 : 32;
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  // A network of mapped addresses is one of IPv4, 96 bits further on.
  const skipped = address !== null && most === 128 && isIP(address) === 4 ? 96 : 0;
  if (address === null || more.length > 0 || bits < skipped || bits > most) {
    throw new TypeError(`trusted proxies: ${JSON.stringify(cidr)} is no address and no CIDR`);
  }
  return { address, bits: bits - skipped };
}

function isIn(list: BlockList, ip: string): boolean {
  return list.check(ip, familyOf(ip));
}

function familyOf(ip: string): "ipv4" | "ipv6" {
  return isIP(ip) === 6 ? "ipv6" : "ipv4";
}

// Some proxies write the port of the peer beside its address: 192.0.2.1:5555, [2001:db8::1]:5555.
function addressOf(hop: string): string | null {
  const [, bracketed, dotted] = /^(?:\[([^[\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(hop) ?? [];
  return plainIp(bracketed ?? dotted ?? hop);
}
