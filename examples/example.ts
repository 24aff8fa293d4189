/** Where an example runs. */
export interface Place {
  /** 0 picks a free one. */
  readonly port: number;
  /** A folder for its data, which is there already. */
  readonly folder: string;
}

/** An example that answers requests. */
export interface Started {
  /** Where it is, without a slash at the end: `http://localhost:3000`. */
  readonly origin: string;
  /** Things to try, one line each: commands for a shell, or addresses to open. */
  readonly toTry: readonly string[];
  /** Ends it: no new requests, those under way are answered. */
  close(): Promise<void>;
}

/** What the `main.ts` of each example exports. */
export interface Example {
  start(place: Place): Promise<Started>;
  /** What else it does: `npm run example <name> <command> <words>`. What a command answers is printed. */
  readonly commands?: Readonly<Record<string, Command>>;
}

/** A command of an example. @throws Error with a sentence for the person */
export type Command = (place: Pick<Place, "folder">, words: readonly string[]) => Promise<string>;
