import { notFound } from "next/navigation";
import { protect } from "@/lib/latchkey.ts";

export const GET = protect(() => notFound());
