import { exportUsers } from "../flows/transfer/export-users.ts";
import type { ImportItem } from "../flows/transfer/import-record.ts";
import { type Imported, type ImportOptions, importUsers } from "../flows/transfer/import-users.ts";
import { readTransferLine } from "../flows/transfer/reading.ts";
import type { TransferLine } from "../flows/transfer/text.ts";
import type { Feature } from "./feature.ts";

export type { ImportRights } from "../flows/transfer/fitting.ts";
export type {
  Account,
  ImportedLink,
  ImportItem,
  ImportNote,
  ImportReason,
  ImportRecord,
} from "../flows/transfer/import-record.ts";
export type { ImportCounts, Imported, ImportOptions } from "../flows/transfer/import-users.ts";
export type { TransferLine } from "../flows/transfer/text.ts";

/** Accounts in and out, for operators: the command line, and scripts of an application. */
export interface Transfer {
  /**
   * Brings accounts in; see the flow `importUsers`. May be ended at any instant and run again.
   *
   * @throws AuthError `store_unavailable`
   */
  importUsers(
    items: AsyncIterable<ImportItem> | Iterable<ImportItem>,
    options: ImportOptions,
  ): Promise<Imported>;
  /** Everything that accounts are made of, as lines of JSON; see the flow `exportUsers`. */
  exportUsers(): AsyncGenerator<TransferLine, void, undefined>;
  /** What a line of an export says; null for its first and last line. */
  readExport(row: number, line: unknown): ImportItem | null;
}

/** Import and export of accounts. Has no routes: who may call it holds the database. */
export function transfer(): Feature<Transfer> {
  return {
    name: "transfer",
    install: (services) => ({
      api: {
        importUsers: (items, options) => importUsers(services.passwords(), items, options),
        exportUsers: () => exportUsers(services),
        readExport: readTransferLine,
      },
    }),
  };
}
