import { misuse } from "./failure.ts";

/** The time that an option names; null where it was left out. @throws CommanderError for what is none */
export function timeOf(option: string, text: string | undefined): Date | null {
  if (text === undefined) return null;
  const time = /^\d{4}-\d\d-\d\d(?:T.+)?$/.test(text) ? new Date(text) : null;
  if (time === null || Number.isNaN(time.getTime()))
    throw misuse(`${option} is a time such as 2030-01-01 or 2030-01-01T00:00:00Z.`);
  return time;
}
