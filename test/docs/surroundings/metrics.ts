import type { Operation } from "latchkey";

export declare const record: (
  kind: Operation["kind"],
  name: string,
  outcome: string,
  milliseconds: number,
) => void;
