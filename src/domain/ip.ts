import { isIP, SocketAddress } from "node:net";

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

/** What limits count as one client: an IPv4 address in any spelling, or the /64 that an IPv6 subscriber owns. */
export function ipForLimits(ip: string | null): string {
  if (ip === null) return "unknown";
  const plain = plainIp(ip) ?? ip;
  return isIP(plain) === 6 ? `${networkOf(plain)}::/64` : plain;
}

// The first four of eight groups; `::` stands for as many zeros as are missing.
function networkOf(plain: string): string {
  const [left = [], right = []] = plain
    .split("::")
    .map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right].slice(0, 4).join(":");
}
