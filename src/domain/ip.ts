import { BlockList, isIP, SocketAddress } from "node:net";

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * An address in its one spelling, so that nobody is two clients: IPv4 also where it came mapped into IPv6
 * (`::ffff:102:304`, `0:0:0:0:0:ffff:1.2.3.4`), IPv6 short and in lower case, without its zone, which means nothing to
 * anybody else.
 *
 * @returns null for what is no address; forms that programs read differently (`0177.0.0.1`) are none
 * @see RFC 4291, section 2.5.5.2; RFC 5952
 */
export function plainIp(text: string): string | null {
  const version = isIP(text);
  if (version !== 6) return version === 4 ? text : null;
  // What a dual-stack socket says of everybody on IPv4 needs no parser.
  const plain = mapped.test(text) ? text : new SocketAddress({ address: text, family: "ipv6" }).address;
  return mapped.exec(plain)?.[1] ?? plain;
}

/** Some of the addresses that there are. @param ip - as {@link plainIp} spells it */
export type IsWithin = (ip: string) => boolean;

/**
 * A network in its one spelling: `10.0.0.0/8`, `2001:db8::/32`, or an address alone. A network of mapped addresses
 * (`::ffff:10.0.0.0/104`) is one of IPv4.
 *
 * @returns null for what is no address and no CIDR
 */
export function plainNetwork(text: string): string | null {
  const network = readNetwork(text);
  if (network === null) return null;
  return text.includes("/") ? `${network.address}/${network.bits}` : network.address;
}

/** Tells whether an address lies in one of some networks. @throws TypeError for what is no address and no CIDR */
export function withinNetworks(networks: readonly string[]): IsWithin {
  const list = new BlockList();
  for (const text of networks) {
    const network = readNetwork(text);
    if (network === null) throw new TypeError(`${JSON.stringify(text)} is no address and no CIDR`);
    list.addSubnet(network.address, network.bits, familyOf(network.address));
  }
  return (ip) => list.check(ip, familyOf(ip));
}

// Digits alone count as a prefix: `10.0.0.0/` read as a number would be /0, and hold everybody.
function readNetwork(text: string): { readonly address: string; readonly bits: number } | null {
  const [given = "", prefix, ...more] = text.split("/");
  const address = plainIp(given);
  const most = isIP(given) === 6 ? 128 : 32;
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  // A network of mapped addresses is one of IPv4, 96 bits further on.
  const skipped = address !== null && most === 128 && isIP(address) === 4 ? 96 : 0;
  if (address === null || more.length > 0 || bits < skipped || bits > most) return null;
  return { address, bits: bits - skipped };
}

function familyOf(ip: string): "ipv4" | "ipv6" {
  return isIP(ip) === 6 ? "ipv6" : "ipv4";
}

/** What limits count as one client: an IPv4 address in any spelling, or the /64 that an IPv6 subscriber owns. */
export function ipForLimits(ip: string | null): string {
  if (ip === null) return "unknown";
  const plain = plainIp(ip) ?? ip;
  return isIP(plain) === 6 ? `${networkOf(plain)}::/64` : plain;
}

/**
 * What stands for {@link ipForLimits} in a counter's key: a keyed digest, so that no store of counters tells where anybody was.
 *
 * @param sign - HMAC under the key for identifiers
 */
export function addressMark(ip: string | null, sign: (text: string) => Uint8Array): string {
  return Buffer.from(sign(ipForLimits(ip))).toString("base64url");
}

/**
 * What limits count as one neighbourhood: the /24 of an IPv4 address, the /48 of an IPv6 one, which a site is given.
 *
 * @param ip - an address, or the client that {@link ipForLimits} makes of it
 */
export function subnetForLimits(ip: string | null): string {
  const plain = ip === null ? null : plainIp(ip.replace(/\/64$/, ""));
  if (plain === null) return "unknown";
  if (isIP(plain) === 4) return `${plain.slice(0, plain.lastIndexOf("."))}.0/24`;
  return `${networkOf(plain, 3)}::/48`;
}

// The first groups of eight; `::` stands for as many zeros as are missing.
function networkOf(plain: string, groups = 4): string {
  const [left = [], right = []] = plain
    .split("::")
    .map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right].slice(0, groups).join(":");
}
