import type { Jwk } from "latchkey/tokens";

export declare const token: string;
export declare const partnerKeys: readonly Jwk[];
