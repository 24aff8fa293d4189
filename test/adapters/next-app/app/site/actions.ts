"use server";

import { redirect } from "next/navigation";
import { action, seal, session, visit } from "@/lib/latchkey.ts";
import { test } from "@/lib/test.ts";

export const rename = action(async ({ user, displayName }, form: FormData) => {
  test().heard.push(`${user.id} ${displayName} becomes ${form.get("name")}`);
});

export async function signIn(form: FormData): Promise<void> {
  const input = { identifier: String(form.get("email")), password: String(form.get("password")) };
  const { change } = await test().auth.users.login(input, await visit());
  await seal(change);
  if (form.get("leave")) redirect("/site/members");
}

export async function signOut(): Promise<void> {
  await seal((await test().auth.sessions.logout(await visit())).change);
}

export async function choose(): Promise<void> {
  await (await session()).set("choice", "blue");
}
