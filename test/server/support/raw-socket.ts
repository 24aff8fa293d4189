import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection on which a test writes what no client would. */
export interface RawSocket {
  readonly socket: Socket;
  write(text: string): void;
  /** Everything that was received, once the other side has closed. */
  readonly answer: Promise<string>;
}

/** Opens a connection to a port of this machine. */
export async function rawSocket(port: number): Promise<RawSocket> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.setEncoding("latin1").on("data", (text) => {
    received += text;
  });
  await once(socket, "connect");
  // A peer that closes while we still write resets the connection; what it said before counts.
  socket.on("error", () => {});
  const answer = new Promise<string>((resolve) => {
    socket.once("close", () => resolve(received));
  });
  return { socket, write: (text) => void socket.write(text, "latin1"), answer };
}
