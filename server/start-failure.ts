import { errorText } from "./error-text.ts";

const ofListening: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use by another program. Set PORT to another one; 0 picks one that is free.",
  EACCES: "may not be opened by this user. Set PORT to 1024 or above.",
  EADDRNOTAVAIL: "is no address of this machine. Set HOST to one that is, as in 127.0.0.1.",
  ENOTFOUND: "is no name that is known here. Set HOST to one that is, as in 127.0.0.1.",
};

/** Why the server did not start, for the terminal: what is wrong and what to do, without a stack. */
export function startFailure(error: unknown): string {
  const { code, address, hostname, port } = (error ?? {}) as Record<string, unknown>;
  const sentence =
    typeof code === "string" && Object.hasOwn(ofListening, code) ? ofListening[code] : undefined;
  if (sentence === undefined) return errorText(error);
  const host = address ?? hostname;
  // A name that is not known has no port yet, and neither has an address where any free one was asked for.
  return `Latchkey cannot listen: ${host}${typeof port === "number" ? `:${port}` : ""} ${sentence}`;
}
