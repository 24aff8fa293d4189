/** Sends one request; rejects where there is no answer. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** How a client proves who it is. */
export interface Proof {
  /** Sends a request with the proof. `send` has the time limit. */
  send(url: string, init: RequestInit, send: Send): Promise<Response>;
  /** Is shown every good answer of Latchkey's own routes. */
  heard(body: unknown): void;
  /** Forgets what it knows. */
  forget(): void;
}
