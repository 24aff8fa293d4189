import { redirect } from "next/navigation";
import { protect } from "@/lib/latchkey.ts";
import { test } from "@/lib/test.ts";

export const POST = protect(async (_request, _context, _principal, session) => {
  await session.set("seen", true);
  redirect("/site");
}, test()?.open);
