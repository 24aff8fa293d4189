import type { AuthRequest } from "latchkey";

export declare const pay: (request: AuthRequest) => Promise<Response>;
export declare const refuse: () => Response;
