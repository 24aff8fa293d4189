import type { OutboxMail } from "../../domain/outbox.ts";
import { messageOf } from "../../mail/message.ts";
import { writeMail } from "../../mail/write-mail.ts";
import type { CallOff } from "../../ports/clock.ts";
import { MailRejected } from "../../ports/mailer.ts";
import { mailFacts } from "./facts.ts";
import type { MailOutcome, MailServices } from "./services.ts";

/** Empties the outbox. */
export interface MailSender {
  /** Looks into the outbox in a moment, and from then on at its interval. */
  wake(): void;
  /** Sends what is due; resolves when nothing is, or nothing can be had. */
  flush(): Promise<void>;
  /** Takes nothing more, and waits for what is on its way: {@link graceMs} at most, then it is given up and sent by the next one. */
  close(): Promise<void>;
}

/** How long a mail that is on its way may still take when the process ends. */
const graceMs = 5_000;
/** How long after a mail was put into the outbox it is looked for, at least; at most a quarter of a second longer. */
const leastMomentMs = 50;
/** Past the mailer's time a lease has this much left for looking up and writing. */
const leaseSlackSeconds = 60;
const firstDelaySeconds = 30;
const longestDelaySeconds = 3_600;

/**
 * Sends the mails of the outbox: claim, make the token, hand over, delete.
 *
 * A mail is deleted once the mailer has it, so that each is sent at least once whatever dies when; sent again, its token is another
 * and the former one opens nothing. A claim is a lease: what a dead process had claimed is free again when that runs out.
 */
export function mailSender(services: MailServices): MailSender {
  const { stores, clock, timers, random, log, call, sending } = services;
  const ending = new AbortController();
  let isClosed = false;
  let running: Promise<void> | null = null;
  let isAskedAgain = false;
  let stopPolling: CallOff | null = null;
  let soon: CallOff | null = null;

  async function claim(limit: number): Promise<readonly OutboxMail[]> {
    if (isClosed) return [];
    const leaseMs = (sending.timeoutSeconds + leaseSlackSeconds) * 1000;
    const leasedUntil = new Date(clock.now().getTime() + leaseMs);
    return stores.directory.claimMail({ limit, leasedUntil }, call());
  }

  // Each goes on by itself, so that one slow mail holds up none but those behind it.
  async function deliverFrom(first: OutboxMail): Promise<void> {
    let mail: OutboxMail | undefined = first;
    while (mail !== undefined) {
      await deliver(services, mail, ending.signal);
      [mail] = await claim(1);
    }
  }

  async function run(): Promise<void> {
    do {
      isAskedAgain = false;
      const done = await Promise.allSettled((await claim(sending.concurrency)).map(deliverFrom));
      const failed = done.find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
    } while (isAskedAgain && !isClosed);
  }

  function flush(): Promise<void> {
    if (isClosed) return running ?? Promise.resolve();
    isAskedAgain = true;
    running ??= run()
      // A directory that does not answer is asked again at the next interval.
      .catch((cause) => log.error("the outbox was not read", {}, cause))
      .finally(() => {
        running = null;
      });
    return running;
  }

  return {
    wake() {
      if (isClosed) return;
      stopPolling ??= timers.every(sending.pollSeconds * 1000, () => void flush());
      // Within the request it would hold up the answer, where there is somebody to write to: known addresses would show by time.
      soon ??= timers.after(leastMomentMs + (random.bytes(1)[0] ?? 0), () => {
        soon = null;
        void flush();
      });
    },
    flush,
    async close() {
      soon?.();
      // What was to begin in a moment begins now.
      if (soon !== null) void flush();
      isClosed = true;
      stopPolling?.();
      const callOff = timers.after(graceMs, () => ending.abort(), { holdsProcess: true });
      await running;
      callOff();
    },
  };
}

/** Sends one mail, or puts it off, or gives it up. Throws nothing. */
async function deliver(services: MailServices, mail: OutboxMail, ending: AbortSignal): Promise<void> {
  const { log, sending } = services;
  const { id, purpose, attempts } = mail;
  const observe = (outcome: MailOutcome): void => tell(services, outcome, mail);
  try {
    const isSent = await send(services, mail, ending);
    await services.commit([{ kind: "mail.delete", mailId: id }]);
    if (isSent) observe("sent");
  } catch (thrown) {
    const isUnsent = thrown instanceof Unsent;
    const isHopeless = attempts >= sending.attempts || (isUnsent && thrown.cause instanceof MailRejected);
    const fields = { mailId: id, purpose, attempts, reason: reasonOf(isUnsent ? thrown.cause : thrown) };
    const message = isHopeless ? "a mail was given up" : "a mail was not sent, and will be tried again";
    // What a mail server says may hold the address: of its errors the log gets the code alone.
    if (isHopeless || !isUnsent) log.error(message, fields, isUnsent ? undefined : thrown);
    else log.warn(message, fields);
    observe(isHopeless ? "given-up" : "failed");
    await settle(services, mail, isHopeless).catch((failure) =>
      log.error("a mail that was not sent stays as it was claimed", { mailId: id, purpose }, failure),
    );
  }
}

// Whoever counts must not make a mail that was sent look as if it was not.
function tell({ observe, log }: MailServices, outcome: MailOutcome, { purpose }: OutboxMail): void {
  try {
    observe(outcome, purpose);
  } catch (cause) {
    log.error("what observes mails failed", { purpose }, cause);
  }
}

/** The mailer did not take a mail; `cause` says why. */
class Unsent extends Error {}

/** @returns whether there was anything to send */
async function send(services: MailServices, mail: OutboxMail, ending: AbortSignal): Promise<boolean> {
  const { mailer, from, templates, sending, timers } = services;
  const facts = await mailFacts(services, mail);
  if (facts === null) return false;
  const message = messageOf(mail, facts, writeMail(facts, templates), from);
  const late = new AbortController();
  const giveUp = (): void => late.abort(new DOMException("The mailer took too long", "TimeoutError"));
  const callOff = timers.after(sending.timeoutSeconds * 1000, giveUp);
  const signal = AbortSignal.any([ending, late.signal]);
  try {
    await within(mailer.send(message, signal), signal);
  } catch (cause) {
    throw new Unsent("not sent", { cause });
  } finally {
    callOff();
  }
  return true;
}

// A mailer that does not heed the signal must not hold up the others for ever.
async function within(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let give: (() => void) | undefined;
  const given = new Promise<never>((_, reject) => {
    give = () => reject(signal.reason);
    signal.addEventListener("abort", give, { once: true });
    if (signal.aborted) give();
  });
  try {
    await Promise.race([work, given]);
  } finally {
    if (give !== undefined) signal.removeEventListener("abort", give);
  }
}

async function settle(services: MailServices, mail: OutboxMail, isHopeless: boolean): Promise<void> {
  const { clock, commit, stores, call } = services;
  if (isHopeless) {
    await commit([{ kind: "mail.delete", mailId: mail.id }]);
    return;
  }
  const delaySeconds = Math.min(firstDelaySeconds * 2 ** (mail.attempts - 1), longestDelaySeconds);
  const nextAttemptAt = new Date(clock.now().getTime() + delaySeconds * 1000);
  const user = mail.userId === null ? null : await stores.directory.user(mail.userId, call());
  if (mail.userId !== null && user === null) return;
  // Of an account that is erased at this moment nothing must come back: then it stays claimed, and is dropped when it is free.
  const holds =
    user === null ? [] : [{ kind: "user.require", userId: user.id, generation: user.generation } as const];
  await stores.directory.commit(
    [
      ...holds,
      { kind: "mail.delete", mailId: mail.id },
      { kind: "mail.insert", mail: { ...mail, nextAttemptAt } },
    ],
    call(),
  );
}

/** A short word for the operator: the code of an error, or its name. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "unknown";
  return "code" in cause && typeof cause.code === "string" ? cause.code.slice(0, 60) : cause.name;
}
