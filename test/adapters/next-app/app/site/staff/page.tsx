import { current } from "@/lib/latchkey.ts";
import { test } from "@/lib/test.ts";

export default async function Staff() {
  return <p>{`Staff: ${(await current(test()?.staff)).displayName}`}</p>;
}
