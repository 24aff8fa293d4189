import { type IsWithin, plainIp, plainNetwork, withinNetworks } from "../domain/ip.ts";

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
  const isTrusted = trusted(trustedProxies);
  return (socketAddress, forwardedFor) => {
    const peer = addressOf(socketAddress ?? "");
    if (peer === null || !isTrusted(peer) || !forwardedFor) return peer;
    let client = peer;
    for (const hop of forwardedFor.slice(-2_048).split(",").reverse()) {
      const address = addressOf(hop.trim());
      if (address === null) break;
      client = address;
      if (!isTrusted(address)) break;
    }
    return client;
  };
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
