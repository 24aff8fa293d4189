import type { Auth, Guard, Open } from "latchkey";

/** What the test of this process works with beside its pages. */
export interface PageTest {
  readonly auth: Auth;
  readonly open: Open;
  readonly staff: Guard;
  readonly pages: Readonly<Record<string, readonly Guard[]>>;
  /** What actions did. */
  readonly heard: string[];
}

export function test(): PageTest {
  return (globalThis as unknown as Record<symbol, PageTest>)[
    Symbol.for("latchkey.next-app.test")
  ] as PageTest;
}
