import type { SessionChange } from "../ports/change.ts";
import type { SessionData } from "../ports/session-data.ts";

/** The answer that a {@link SealedData} writes its cookies into. */
export interface Sealing {
  seal(change: SessionChange): void;
  /** Whether the headers were sent. */
  isTooLate(): boolean;
  /** Is told of writes that failed, since a handler need not wait for them. */
  failed(thrown: unknown): void;
}

/**
 * The data bag of a handler that writes its own headers: a session created by `set` is sealed as soon as it is there.
 *
 * Once the headers are sent there is no cookie by which anybody would come back to a new session, so `set` then creates
 * none and rejects with a TypeError. A handler that does not wait for a write does not end the process with it.
 */
export class SealedData implements SessionData {
  readonly #verdict: { readonly session: SessionData };
  readonly #sealing: Sealing;
  #sealed: SessionChange | null = null;

  /** @param verdict - gives the bag, the same one each time; asked only when the handler uses it */
  constructor(verdict: { readonly session: SessionData }, sealing: Sealing) {
    this.#verdict = verdict;
    this.#sealing = sealing;
  }

  get #data(): SessionData {
    return this.#verdict.session;
  }

  get id(): string | null {
    return this.#data.id;
  }

  get change(): SessionChange | null {
    return this.#data.change;
  }

  get(key: string): unknown {
    return this.#data.get(key);
  }

  set(key: string, value: unknown): Promise<void> {
    return this.#heard(async () => {
      if (this.#data.id === null) this.#assertInTime();
      await this.#data.set(key, value);
    });
  }

  delete(key: string): Promise<void> {
    return this.#heard(() => this.#data.delete(key));
  }

  clear(): Promise<void> {
    return this.#heard(() => this.#data.clear());
  }

  #heard(write: () => Promise<void>): Promise<void> {
    const written = this.#sealAfter(write);
    written.catch((thrown) => this.#sealing.failed(thrown));
    return written;
  }

  async #sealAfter(write: () => Promise<void>): Promise<void> {
    await write();
    const { change } = this.#data;
    if (change === null || change === this.#sealed) return;
    this.#assertInTime();
    this.#sealed = change;
    this.#sealing.seal(change);
  }

  #assertInTime(): void {
    if (!this.#sealing.isTooLate()) return;
    throw new TypeError("session.set: the headers were sent; a session's first `set` comes before them");
  }
}
