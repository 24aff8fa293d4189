import { type IsWithin, plainIp, plainNetwork, withinNetworks } from "../domain/ip.ts";

/** Reads the client's address of a request, whose peer is as {@link peerOf} says it. */
export type ClientIp = (peer: string | undefined, forwardedFor: string | null | undefined) => string | null;

/** What a peer is called that speaks through a Unix socket, and so has no address. */
const unixPeer = "unix";

/** What is looked at of a connection; a `net.Socket` has it. */
export interface PeerSocket {
  readonly remoteAddress?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly destroyed?: boolean;
}

/**
 * The address of a connection's peer, `unix` where it speaks through a Unix socket; undefined where it is not known, or not any more.
 *
 * A peer of the network that went away has no address either, and may have written itself any `X-Forwarded-For`: then this side of the
 * connection still has one, or the connection has ended.
 */
export function peerOf({ remoteAddress, localAddress, destroyed }: PeerSocket): string | undefined {
  if (remoteAddress !== undefined) return remoteAddress;
  return localAddress === undefined && destroyed === false ? unixPeer : undefined;
}

/**
 * Tells the client's address: the socket's, unless that is a trusted proxy. Then `X-Forwarded-For` is read from its end,
 * and the first address that is no trusted proxy is the client; what stands before it was written by the client itself.
 *
 * @param trustedProxies - CIDRs or addresses, or `unix` for whoever speaks through a Unix socket; none by default, so that nobody can
 * choose an address of their own
 * @throws TypeError for what is none of these
 */
export function clientIp(trustedProxies: readonly string[] = []): ClientIp {
  // Where nobody is trusted the header is not looked at.
  if (trustedProxies.length === 0) return (peer) => plainIp(peer ?? "");
  const isTrusted = trusted(trustedProxies.filter((network) => network !== unixPeer));
  const trustsUnix = trustedProxies.includes(unixPeer);
  return (peer, forwardedFor) => {
    const address = addressOf(peer ?? "");
    const isBelieved = address === null ? trustsUnix && peer === unixPeer : isTrusted(address);
    return isBelieved && forwardedFor ? firstUntrusted(address, forwardedFor, isTrusted) : address;
  };
}

function firstUntrusted(peer: string | null, forwardedFor: string, isTrusted: IsWithin): string | null {
  let client = peer;
  for (const hop of forwardedFor.slice(-2_048).split(",").reverse()) {
    const address = addressOf(hop.trim());
    if (address === null) break;
    client = address;
    if (!isTrusted(address)) break;
  }
  return client;
}

function trusted(networks: readonly string[]): IsWithin {
  for (const network of networks) {
    if (plainNetwork(network) === null)
      throw new TypeError(`trusted proxies: ${JSON.stringify(network)} is no address and no CIDR`);
  }
  return withinNetworks(networks);
}

// Some proxies write the port of the peer beside its address: 192.0.2.1:5555, [2001:db8::1]:5555.
function addressOf(hop: string): string | null {
  const [, bracketed, dotted] = /^(?:\[([^[\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(hop) ?? [];
  return plainIp(bracketed ?? dotted ?? hop);
}
