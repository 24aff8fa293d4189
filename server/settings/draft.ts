import { isDeepStrictEqual } from "node:util";
import type { Reading } from "./kind.ts";
import type { Given } from "./settings.ts";
import { brief, printable, type SettingsProblem } from "./settings-error.ts";
import { type SettingRow, settingsTable } from "./table.ts";

/** The settings one by one: what each says by itself, before any is compared with another. */
export interface Draft {
  /** A setting that could not be read has its nearest meaning here, else its default. */
  readonly given: Given;
  readonly problems: readonly SettingsProblem[];
  /** Whether a field's value says what the operator meant, so that a rule about it can be checked. */
  readonly isMeant: (field: keyof Given) => boolean;
  /** Whether the operator wrote anything for a field, be it the default. */
  readonly isWritten: (field: keyof Given) => boolean;
  /** The name that the operator used for a field, or the setting's own. */
  readonly nameOf: (field: keyof Given) => string;
}

/** Variables by name, as `process.env` has them. Blank and absent are the same: not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads every row of the table; never throws. */
export function readDraft(environment: Environment): Draft {
  const fields = Object.keys(settingsTable) as (keyof Given)[];
  const read = new Map(fields.map((field) => [field, readRow(settingsTable[field], environment)]));
  return {
    // The table's type ties each row's kind to its field's type; a map over the rows cannot express it.
    given: Object.fromEntries(fields.map((field) => [field, read.get(field)?.value])) as unknown as Given,
    problems: [...read.values()].flatMap(({ problems }) => problems),
    isMeant: (field) => read.get(field)?.isMeant ?? false,
    isWritten: (field) => read.get(field)?.isWritten ?? false,
    nameOf: (field) => read.get(field)?.name ?? settingsTable[field].name,
  };
}

interface RowReading {
  readonly value: unknown;
  readonly name: string;
  readonly isMeant: boolean;
  readonly isWritten: boolean;
  readonly problems: readonly SettingsProblem[];
}

interface Spelling {
  readonly name: string;
  readonly text: string;
  readonly reading: Reading<unknown>;
}

function readRow(row: SettingRow, environment: Environment): RowReading {
  const spellings = [{ name: row.name, kind: row.kind }, ...(row.aliases ?? [])].flatMap(
    ({ name, kind }): Spelling[] => {
      const text = environment[name]?.trim() ?? "";
      return text === "" ? [] : [{ name, text, reading: (kind ?? row.kind).read(text) }];
    },
  );
  const problems = [
    ...spellings.flatMap((spelling) => spellingProblem(row, spelling)),
    ...contradiction(row, spellings),
  ];
  const [first] = spellings;
  if (first === undefined)
    return { value: defaultOf(row), name: row.name, isMeant: true, isWritten: false, problems };
  const { reading, name } = first;
  const isMeant = reading.ok || reading.nearest !== undefined;
  const value = reading.ok ? reading.value : (reading.nearest ?? defaultOf(row));
  return { value, name, isMeant, isWritten: true, problems };
}

function defaultOf(row: SettingRow): unknown {
  if (row.default === null) return null;
  const reading = row.kind.read(row.default);
  if (!reading.ok) throw new TypeError(`The default of ${row.name} is not one that it accepts`);
  return reading.value;
}

function spellingProblem(row: SettingRow, { name, text, reading }: Spelling): SettingsProblem[] {
  if (reading.ok) return [];
  const { problem, fix } = reading;
  return [brief({ setting: name, found: found(row, text), problem, fix })];
}

// Taking either would make the other a lie; the operator knows which one was forgotten.
function contradiction(row: SettingRow, spellings: readonly Spelling[]): SettingsProblem[] {
  const values = spellings.flatMap(({ reading }) => (reading.ok ? [reading.value] : []));
  if (values.every((value) => isDeepStrictEqual(value, values[0]))) return [];
  const names = spellings.map(({ name }) => name).join(" and ");
  const texts = spellings.map(({ text }) => found(row, text)).join(" and ");
  return [
    {
      setting: names,
      found: texts,
      problem: "are one setting with different values",
      fix: `Keep ${row.name} alone.`,
    },
  ];
}

function found(row: SettingRow, text: string): string {
  return row.isSecret === true ? `a value of ${Buffer.byteLength(text)} bytes` : printable(text);
}
