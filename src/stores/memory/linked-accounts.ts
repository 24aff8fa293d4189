import type { LinkedAccount } from "../../domain/linked-account.ts";
import { type Journal, table } from "./journal.ts";
import { type OwnedTable, ownedTable } from "./owned.ts";
import { linkedAccountOf, linkedAccountText } from "./records.ts";

/** What the provider calls an account. */
type Name = Pick<LinkedAccount, "issuer" | "subject">;

/** The linked accounts of one engine. */
export interface LinkedAccountTable extends OwnedTable<LinkedAccount> {
  byName(name: Name): LinkedAccount | null;
}

/** An empty table of linked accounts. */
export function linkedAccountTable(log: Journal): LinkedAccountTable {
  const accounts = ownedTable(log, { write: linkedAccountText, read: linkedAccountOf });
  const idsByName = table<string>(log);
  // Where the one ends and the other begins has to show.
  const nameOf = ({ issuer, subject }: Name): string => JSON.stringify([issuer, subject]);
  return {
    ...accounts,
    byName: (name) => accounts.get(idsByName.get(nameOf(name)) ?? ""),
    put(account) {
      accounts.put(account);
      idsByName.set(nameOf(account), account.id);
    },
    delete(id) {
      const account = accounts.get(id);
      if (account !== null) idsByName.delete(nameOf(account));
      accounts.delete(id);
    },
  };
}
