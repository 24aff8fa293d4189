import type { Client } from "latchkey/client";
import * as React from "react";

export { React };
export declare const client: Client;
