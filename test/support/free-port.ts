import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below where the system takes ports for whoever asks for any, and below those of the servers and proxies of tests:
 * between the choice and its use nobody else is given it. Browsers and `fetch` refuse none of them.
 */
const PORTS = { first: 7_000, last: 10_000 };

const given = new Set<number>();

/** A port of the loopback interface for a program that has to be told one; none is given twice by a process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  const isListening = await once(server, "listening").then(
    () => true,
    () => false,
  );
  if (isListening) await new Promise((resolve) => server.close(resolve));
  return isListening;
}
