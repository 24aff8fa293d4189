import { randomUUID } from "node:crypto";
import type { Changes, InvalidationChannel } from "./channel.ts";
import { heard } from "./heard.ts";
import { formatMessage } from "./message.ts";
import { type ChannelLog, outage as outageOf } from "./outage.ts";
import { outbox } from "./outbox.ts";

/** A connection through which every process hears every text, one's own included. */
export interface Link {
  /** Resolves when it listens; rejects where that comes to nothing. */
  readonly ready: Promise<unknown>;
  /** Resolves when the server has it. */
  send(text: string): Promise<unknown>;
  /** Ends it, ready or not, without waiting for a server that may hang. Never throws. */
  end(): void;
}

/** Begins a connection. `lost`: it is known to be gone, and why where that is known. */
export type Dial = (hear: (text: string) => void, lost: (reason?: unknown) => void) => Link;

/** Between two signs of life of a process, and between two looks at its connection. */
const beatMs = 300;
/** Own signs of life that may be missing before the connection counts as cut. */
const unansweredMax = 3;
/** How long a connection may take to come about, and one message to be taken. */
const patienceMs = 2_000;
/** How long `close` waits. */
const closeMs = 1_000;

/**
 * A channel that knows when it may have lost something. Every process sends a numbered message every 300 ms, and one for its
 * changes: a gap in somebody's numbers, or a new connection, is told as `everything`. A connection counts as cut when three of
 * a process's own messages have not come back to it through the server: it is ended, and another is made.
 *
 * What cannot be sent is not sent later, but its number is used up: as soon as this process is heard again, the others see
 * the gap.
 *
 * It is whole while its own messages come back: a server that takes connections, and lets nobody publish, is an outage as well.
 * One that lasts is told to `log`, once, with the reason; so is its end.
 */
export function linkedChannel(dial: Dial, log?: ChannelLog): InvalidationChannel {
  const self = randomUUID();
  const waiting = outbox();
  const outage = outageOf(log);
  let tellCache: ((changes: Changes) => void) | null = null;
  let link: Link | null = null;
  let dialling: Promise<void> | null = null;
  let isSending = false;
  let isClosed = false;
  let isBeatDue = false;
  let unanswered = 0;
  let number = 0;
  let refusal: unknown;
  let beat: NodeJS.Timeout | undefined;
  const inbox = heard(self, () => {
    unanswered = 0;
    refusal = undefined;
    outage.over();
  });

  function hear(text: string): void {
    const changes = inbox.read(text);
    if (changes !== null) tellCache?.(changes);
  }

  function connect(): void {
    // A factory that throws is tried again like a server that refuses.
    dialling ??= dialled()
      .catch(failed)
      .finally(() => {
        dialling = null;
      });
  }

  async function dialled(): Promise<void> {
    let isLost = false;
    let lose: (reason: unknown) => void = () => undefined;
    const end = new Promise<never>((_, reject) => {
      lose = reject;
    });
    const made = dial(hear, (reason = new Error("the connection was lost")) => {
      isLost = true;
      lose(reason);
      if (link === made) drop(reason);
    });
    try {
      await soon(Promise.race([made.ready, end]));
      if (isLost || isClosed) throw new Error("the connection was lost, or is not needed any more");
    } catch (error) {
      made.end();
      throw error;
    }
    accept(made);
  }

  // It is tried again at a beat.
  function failed(reason: unknown): void {
    if (!isClosed) outage.failed(reason);
  }

  function accept(made: Link): void {
    link = made;
    unanswered = 0;
    outage.reached();
    // What was said while nobody listened.
    tellCache?.("everything");
    onBeat();
  }

  function drop(reason: unknown): void {
    link?.end();
    link = null;
    failed(reason);
  }

  function onBeat(): void {
    if (link !== null && unanswered >= unansweredMax)
      drop(refusal ?? new Error("its own messages do not come back"));
    if (link === null) {
      if (outage.isDue) connect();
      return;
    }
    unanswered++;
    isBeatDue = true;
    void flush();
  }

  // One at a time, so that they come in the order of their numbers; what comes up meanwhile goes together in the next.
  async function flush(): Promise<void> {
    if (isSending) return;
    isSending = true;
    while (isBeatDue || !waiting.isEmpty) {
      await dialling;
      isBeatDue = false;
      const text = formatMessage({ sender: self, number: ++number, changes: waiting.take() });
      await soon(sent(text)).catch((error: unknown) => {
        refusal = error;
      });
    }
    isSending = false;
  }

  async function sent(text: string): Promise<void> {
    await link?.send(text);
  }

  return {
    open(hearChanges) {
      if (tellCache !== null || isClosed) throw new TypeError("cached: this channel is in use already");
      tellCache = hearChanges;
      beat = setInterval(onBeat, beatMs).unref();
      connect();
    },
    tell(changes) {
      if (isClosed) return;
      waiting.add(changes);
      void flush();
    },
    async close() {
      clearInterval(beat);
      const end = performance.now() + closeMs;
      while (isSending && performance.now() < end) await new Promise((wake) => setTimeout(wake, 5));
      isClosed = true;
      link?.end();
      link = null;
    },
  };
}

/** What `work` comes to, if it does in time. */
function soon<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
    timer.unref();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
