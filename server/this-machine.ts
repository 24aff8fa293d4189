import { isLoopback } from "latchkey";

/** Where a request says that it comes from. */
export interface Sender {
  /** Address of the peer, as the socket has it. */
  readonly peer: string | null | undefined;
  /** The host that is asked for, with or without a port. */
  readonly host: string;
  header(name: string): string | null | undefined;
}

/** Headers by which a proxy says that it asks for somebody else. */
const forwarding = [
  "forwarded",
  ...["for", "host", "proto"].map((what) => `x-forwarded-${what}`),
  ...["x-real-ip", "via"],
];

/**
 * Whether a program of this machine asks for itself: no proxy on this machine that says it asks for somebody else, and no page in a
 * browser of this machine that reached the server under another name.
 */
export function isFromThisMachine({ peer, host, header }: Sender): boolean {
  if (!isLoopbackAddress(peer ?? "")) return false;
  if (forwarding.some((name) => (header(name) ?? null) !== null)) return false;
  return isLoopback(hostnameOf(host));
}

function isLoopbackAddress(address: string): boolean {
  const plain = address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
  return plain === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain);
}

function hostnameOf(host: string): string {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : "";
}
