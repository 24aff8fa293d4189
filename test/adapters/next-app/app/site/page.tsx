import { csrfToken, principal, session } from "@/lib/latchkey.ts";
import { choose, rename, signIn, signOut } from "./actions.ts";

async function Greeting() {
  return <p>Hello, {(await principal()).displayName}</p>;
}

export default async function Page({ searchParams }: { searchParams: Promise<Record<string, string>> }) {
  const token = await csrfToken();
  const bag = await session();
  const said = (await searchParams).set
    ? await bag.set("late", true).catch(String)
    : String(bag.get("choice"));
  return (
    <main>
      <Greeting />
      <Greeting />
      <p>{`Said: ${said}`}</p>
      <form id="rename" action={rename}>
        <input type="hidden" name="_token" value={token ?? ""} />
        <input name="name" />
      </form>
      <form id="signIn" action={signIn} />
      <form id="signOut" action={signOut} />
      <form id="choose" action={choose} />
    </main>
  );
}
