import type { Operation, Telemetry } from "latchkey";

/** What is used of `@opentelemetry/api`. */
export interface OpenTelemetryApi {
  readonly trace: { getTracer(name: string): Tracer };
  readonly SpanStatusCode: { readonly ERROR: number };
}

interface Tracer {
  startActiveSpan<T>(
    name: string,
    options: { readonly attributes: Readonly<Record<string, string>> },
    work: (span: Span) => T,
  ): T;
}

interface Span {
  setAttribute(name: string, value: string): unknown;
  setStatus(status: { readonly code: number }): unknown;
  end(): void;
}

/** Endings of store calls, hashes and outgoing calls that are failures; a refused check is none. */
const failures: ReadonlySet<Operation["kind"]> = new Set(["store", "hash", "call"]);

/**
 * Spans of OpenTelemetry: one for a check, a route, a store call, a hash and a call to a provider, each within the one that asked for
 * it. Attributes are names of bounded sets, and say nothing of anybody.
 */
export function spans({ trace, SpanStatusCode }: OpenTelemetryApi): Telemetry {
  const tracer = trace.getTracer("latchkey");
  return {
    during({ kind, name }, work) {
      const title = kind === "check" ? "latchkey check" : `latchkey ${kind} ${name}`;
      const attributes = { "latchkey.kind": kind, "latchkey.name": name };
      return tracer.startActiveSpan(title, { attributes }, (span) => {
        let hasEnded = false;
        const end = (outcome: string): void => {
          if (hasEnded) return;
          hasEnded = true;
          span.setAttribute("latchkey.outcome", outcome);
          const hasFailed =
            (failures.has(kind) && outcome !== "ok") || (kind === "route" && outcome.startsWith("5"));
          if (hasFailed) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        };
        return work(end);
      });
    },
  };
}
