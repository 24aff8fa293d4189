import { BlockList, isIP } from "node:net";

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
  const proxies = blockList(trustedProxies);
  return (socketAddress, forwardedFor) => {
    const peer = plainIp(socketAddress ?? "");
    if (peer === null || !isIn(proxies, peer) || !forwardedFor) return peer;
    let client = peer;
    for (const hop of forwardedFor.slice(-2_048).split(",").reverse()) {
      const address = plainIp(hop.trim());
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
    const [address = "", prefix] = cidr.split("/");
    const version = isIP(address);
    const bits = prefix === undefined ? (version === 6 ? 128 : 32) : Number(prefix);
    if (version === 0 || !Number.isInteger(bits) || bits < 0 || bits > (version === 6 ? 128 : 32)) {
      throw new TypeError(`trusted proxies: ${JSON.stringify(cidr)} is no address and no CIDR`);
    }
    list.addSubnet(address, bits, version === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

function isIn(list: BlockList, ip: string): boolean {
  return list.check(ip, isIP(ip) === 6 ? "ipv6" : "ipv4");
}

// An IPv4 client on a dual-stack socket appears as ::ffff:192.0.2.1; a zone index means nothing to anybody else.
function plainIp(address: string): string | null {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address.replace(/%.*$/, "").replace(/^\[(.*)\]$/, "$1");
  return isIP(plain) === 0 ? null : plain;
}
