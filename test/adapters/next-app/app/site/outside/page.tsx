import { current } from "@/lib/latchkey.ts";

// No proxy stands before this one.
export default async function Outside() {
  return <p>{`Inside: ${(await current()).displayName}`}</p>;
}
