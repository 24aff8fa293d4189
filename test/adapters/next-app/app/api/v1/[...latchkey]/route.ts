import { route } from "@/lib/scene.ts";

export const GET = route("handle");
export const POST = route("handle");
export const DELETE = route("handle");
