import type { ImportItem } from "latchkey/transfer";

export declare const items: AsyncIterable<ImportItem>;
