import type { Telemetry } from "latchkey";
import { spans } from "../telemetry/opentelemetry.ts";

/**
 * Spans where the process has the API of OpenTelemetry; null where it has not. Without an SDK that was registered before, the API
 * does nothing.
 */
export async function foundSpans(): Promise<Telemetry | null> {
  try {
    return spans(await import("@opentelemetry/api"));
  } catch {
    return null;
  }
}
