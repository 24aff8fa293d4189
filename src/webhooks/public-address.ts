import { isIP } from "node:net";
import { plainIp, withinNetworks } from "../domain/ip.ts";

/** IPv4 that leads nowhere or to our own networks. @see IANA IPv4 Special-Purpose Address Registry (RFC 6890) */
const special = withinNetworks([
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"],
  ...["203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
]);

/** All of IPv6 that is given out, and of that what is not for hosts: Teredo, documentation, and 6to4, which hides an IPv4 address. */
const global = withinNetworks(["2000::/3"]);
const specialGlobal = withinNetworks(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);

/**
 * Whether an address is one of the public internet: neither this machine, nor a network of ours, nor the metadata of a cloud.
 *
 * @see OWASP Server-Side Request Forgery Prevention Cheat Sheet
 */
export function isPublicAddress(text: string): boolean {
  const ip = plainIp(text);
  if (ip === null) return false;
  return isIP(ip) === 4 ? !special(ip) : global(ip) && !specialGlobal(ip);
}
