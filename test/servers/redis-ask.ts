import { once } from "node:events";
import { connect } from "node:net";

const PATIENCE_MS = 2_000;

/**
 * Sends one command to a Redis on this machine, over a connection of its own.
 *
 * Knows replies of one value; a number comes as its digits, null as the empty text.
 *
 * @throws Error - no whole answer within two seconds, or the server's own error
 */
export async function askRedis(port: number, ...words: readonly string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer to ${words.join(" ")}`)));
  try {
    await once(socket, "connect");
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${parts.join("")}`);
    return await readReply(socket);
  } finally {
    socket.destroy();
  }
}

async function readReply(chunks: AsyncIterable<Buffer>): Promise<string> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of chunks) {
    bytes = Buffer.concat([bytes, chunk]);
    const reply = parseReply(bytes);
    if (reply !== null) return reply;
  }
  throw new Error("the connection ended before the reply");
}

/** Null while some of it is on its way. */
function parseReply(bytes: Buffer): string | null {
  const lineEnd = bytes.indexOf("\r\n");
  if (lineEnd < 0) return null;
  const line = bytes.subarray(1, lineEnd).toString();
  const kind = String.fromCharCode(bytes[0] ?? 0);
  if (kind === "-") throw new Error(line);
  if (kind !== "$") return line;
  const length = Number(line);
  if (length < 0) return "";
  const start = lineEnd + 2;
  return bytes.length < start + length + 2 ? null : bytes.subarray(start, start + length).toString();
}
