import { route } from "@/lib/scene.ts";

export const POST = route("letters");
