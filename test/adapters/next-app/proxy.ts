import { proxy as guarded } from "@/lib/latchkey.ts";
import { test } from "@/lib/test.ts";

export const proxy = guarded(test()?.pages ?? {});

export const config = { matcher: ["/site/:path*"] };
