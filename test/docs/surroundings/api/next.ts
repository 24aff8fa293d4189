import type { NextParts } from "latchkey/next";

export declare const headers: NextParts["headers"];
export declare const cookies: NextParts["cookies"];
export declare const redirect: NextParts["redirect"];
export declare const NextResponse: NextParts["NextResponse"];
