import { route } from "@/lib/scene.ts";

export const GET = route("fails");
