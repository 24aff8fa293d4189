/** A setting's text, read: its value, or what is wrong with it and what to write instead. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      /** Continues "NAME: ...". Never repeats the text, which may be a secret. */
      readonly problem: string;
      readonly fix: string;
      /** What was most likely meant, so that the rules that depend on it can still be checked; it is never started with. */
      readonly nearest?: T;
    };

/** How the text of a setting becomes a value. */
export interface Kind<T> {
  /** What may be written, for the table in the documentation. */
  readonly accepts: string;
  /** Unit of what is written, or null where there is none. */
  readonly unit: string | null;
  /** Reads trimmed text, which is never blank unless a list's default is none. */
  readonly read: (text: string) => Reading<T>;
}

/** Units in which a length of time is written; what is read is in seconds. */
export type TimeUnit = keyof typeof secondsPer;

const secondsPer = { seconds: 1, minutes: 60, days: 86_400 } as const;

/** A whole number from `min` to `max`, in decimal digits. */
export function wholeNumber(min: number, max: number, unit: string | null = null): Kind<number> {
  const fix = `Write a whole number from ${min} to ${max}${unit === null ? "" : ` (${unit})`}.`;
  return {
    accepts: `${min} to ${max}`,
    unit,
    read: (text) => {
      // Number() alone would also take "0x10", "1e3" and " 5 ", which read as something else to a person.
      if (!/^(?:0|[1-9]\d{0,14})$/.test(text)) return { ok: false, problem: "is not a whole number", fix };
      const value = Number(text);
      if (value < min || value > max) return { ok: false, problem: `is not between ${min} and ${max}`, fix };
      return { ok: true, value };
    },
  };
}

/** A length of time, written as a whole number of `unit`; the value is in seconds. */
export function duration(unit: TimeUnit, min: number, max: number): Kind<number> {
  const number = wholeNumber(min, max, unit);
  return {
    ...number,
    read: (text) => {
      const reading = number.read(text);
      return reading.ok ? { ok: true, value: reading.value * secondsPer[unit] } : reading;
    },
  };
}

/** Yes or no, in any of the usual spellings. */
export function flag(): Kind<boolean> {
  return {
    accepts: "true or false",
    unit: null,
    read: (text) => {
      const word = text.toLowerCase();
      if (["true", "1", "yes", "on"].includes(word)) return { ok: true, value: true };
      if (["false", "0", "no", "off"].includes(word)) return { ok: true, value: false };
      return { ok: false, problem: "is neither true nor false", fix: "Write true or false." };
    },
  };
}

/**
 * One of several words, upper or lower case.
 *
 * @param refused - words that are understood and cannot be had, with the reason
 */
export function choice<const V extends string>(
  values: readonly V[],
  refused: Readonly<Record<string, string>> = {},
): Kind<V> {
  const fix = `Write ${values.slice(0, -1).join(", ")} or ${values.at(-1)}.`;
  return {
    accepts: values.join(", "),
    unit: null,
    read: (text) => {
      const word = text.toLowerCase();
      const value = values.find((candidate) => candidate === word);
      if (value !== undefined) return { ok: true, value };
      const reason = Object.hasOwn(refused, word) ? refused[word] : undefined;
      return { ok: false, problem: reason ?? "is none of the words it may be", fix };
    },
  };
}

/** Several values of one kind with commas between them; blank entries are dropped, repeated ones kept once. */
export function list<T extends string>(kind: Kind<T>): Kind<readonly T[]> {
  return {
    accepts: `a comma-separated list: ${kind.accepts}`,
    unit: kind.unit,
    read: (text) => {
      const entries = text.split(",").flatMap((entry) => (entry.trim() === "" ? [] : [entry.trim()]));
      const readings = entries.map((entry) => kind.read(entry));
      const bad = readings.flatMap((reading, index) =>
        reading.ok ? [] : [{ problem: `entry ${index + 1} ${reading.problem}`, fix: reading.fix }],
      );
      const values = readings.flatMap((reading) => (reading.ok ? [reading.value] : []));
      if (bad.length === 0) return { ok: true, value: [...new Set(values)] };
      const fixes = new Set(bad.map(({ fix }) => fix));
      return {
        ok: false,
        problem: bad.map(({ problem }) => problem).join("; "),
        fix: [...fixes].join(" "),
        nearest: values,
      };
    },
  };
}
