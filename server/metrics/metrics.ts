import type { AuthEvent, Telemetry } from "latchkey";
import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";

/** What the server counts and measures, for Prometheus. Labels are of bounded sets: no id, no address, nothing personal. */
export interface Metrics {
  /** Measures checks, Latchkey's own routes, store calls, hashes and calls to providers. */
  readonly telemetry: Telemetry;
  /** Counts events. */
  readonly listener: (event: AuthEvent) => void;
  /** Counts a request that none of Latchkey's own routes answered. @param route - as the app has it, `GET /login` */
  answered(route: string, status: number, seconds: number): void;
  /** Counts what became of a mail. */
  mailed(purpose: string, outcome: string): void;
  /** Everything, in Prometheus' text format, and its content type. */
  text(): Promise<{ readonly text: string; readonly contentType: string }>;
}

/** From half a millisecond, a check on the embedded database, to the time limit of stores. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Makes a registry of its own, Node's figures (memory, CPU, delay of the event loop) among them.
 *
 * @see https://prometheus.io/docs/practices/naming/
 */
export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[]): Histogram<L> =>
    new Histogram({ name, help, labelNames: [...labelNames], buckets, registers: [registry] });
  const requests = histogram("latchkey_request_seconds", "Requests, by route and status.", [
    "route",
    "status",
  ]);
  const checks = histogram("latchkey_check_seconds", "Checks, by the proof that won or the refusal.", [
    "outcome",
  ]);
  const stores = histogram("latchkey_store_seconds", "Calls to stores.", ["call", "outcome"]);
  const hashes = histogram("latchkey_hash_seconds", "Work on passwords, the wait for a thread included.", [
    "work",
    "outcome",
  ]);
  const calls = histogram("latchkey_outgoing_seconds", "Calls to providers.", ["host", "outcome"]);
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
  const events = counter("latchkey_events_total", "Events, by type and, where they have one, reason.", [
    "type",
    "reason",
  ]);
  const mails = counter("latchkey_mails_total", "Mails, by what became of them.", ["purpose", "outcome"]);
  const observe = {
    check: (_name, outcome, seconds) => checks.observe({ outcome }, seconds),
    route: (route, status, seconds) => requests.observe({ route, status }, seconds),
    store: (call, outcome, seconds) => stores.observe({ call, outcome }, seconds),
    hash: (work, outcome, seconds) => hashes.observe({ work, outcome }, seconds),
    call: (host, outcome, seconds) => calls.observe({ host, outcome }, seconds),
  } satisfies Record<string, (name: string, outcome: string, seconds: number) => void>;
  return {
    telemetry: {
      during({ kind, name }, work) {
        const startedAt = performance.now();
        return work((outcome) => observe[kind](name, outcome, (performance.now() - startedAt) / 1000));
      },
    },
    listener({ type, payload }) {
      const reason = "reason" in payload ? payload.reason : "";
      events.inc({ type, reason });
    },
    answered: (route, status, seconds) => requests.observe({ route, status: String(status) }, seconds),
    mailed: (purpose, outcome) => mails.inc({ purpose, outcome }),
    text: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}
