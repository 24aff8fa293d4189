import { addressMark, subnetForLimits } from "./ip.ts";

/** Attempts of one client (an IPv4 address, an IPv6 /64) in one window. */
export interface ClientLimit {
  /** For the counter's key and events: `register`. */
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

/** A counter of attempts by address. */
export type AddressCounter = ClientLimit & { readonly key: string };

/**
 * What a neighbourhood has, as a multiple of what one client has. An IPv6 site is 65,536 clients, and behind a carrier's /24 are
 * thousands of people.
 */
const clientsPerSubnet = 20;

/**
 * The counters that a client's attempt is taken from: its own, and that of its /24 or IPv6 /48 (`<name>_subnet`), which has twenty times
 * as much.
 *
 * @param ip - null: those without an address count together
 * @param sign - HMAC under the key for identifiers, so that no store of counters tells where anybody was
 */
export function clientLimits(
  limit: ClientLimit,
  ip: string | null,
  sign: (text: string) => Uint8Array,
): readonly [AddressCounter, AddressCounter] {
  const { name } = limit;
  const subnetMark = Buffer.from(sign(subnetForLimits(ip))).toString("base64url");
  return [
    { ...limit, key: `limit:ip:${name}:${addressMark(ip, sign)}` },
    {
      ...limit,
      name: `${name}_subnet`,
      key: `limit:subnet:${name}:${subnetMark}`,
      limit: limit.limit * clientsPerSubnet,
    },
  ];
}
