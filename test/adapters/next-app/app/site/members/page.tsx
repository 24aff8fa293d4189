import { current } from "@/lib/latchkey.ts";
import { rename } from "../actions.ts";

export default async function Members() {
  return <form action={rename}>{`Member: ${(await current()).displayName}`}</form>;
}
