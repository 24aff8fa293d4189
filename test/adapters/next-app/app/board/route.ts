import { route } from "@/lib/scene.ts";

export const GET = route("board");
export const POST = route("board");
