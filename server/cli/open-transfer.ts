import { type Transfer, transfer } from "latchkey/transfer";
import type { Settings } from "../settings/settings.ts";
import { withAuth } from "./open.ts";
import type { Terminal } from "./terminal.ts";

/** What the commands about whole directories work with. */
export interface OpenedTransfer {
  readonly transfer: Transfer;
  readonly settings: Settings;
}

/** Opens the stores as `withAuth` does, with import and export. */
export async function withTransfer<T>(
  terminal: Terminal,
  work: (opened: OpenedTransfer) => Promise<T>,
): Promise<T> {
  const feature = transfer();
  return withAuth(terminal, ({ auth, settings }) => work({ transfer: auth.use(feature), settings }), {
    features: [feature],
  });
}
