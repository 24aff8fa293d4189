import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CsvRow, csvRecords, csvRows } from "../../server/cli/import/csv.ts";
import { instant, texts } from "../../server/cli/import/fields.ts";
import { formatOf } from "../../server/cli/import/items.ts";
import { type FileRecord, lineRecords, listRecords, longestRecord } from "../../server/cli/import/records.ts";
import { link } from "../../server/cli/import/source.ts";

/** Text in pieces of `size` letters, as a file comes. */
async function* pieces(text: string, size = 7): AsyncGenerator<string> {
  const letters = [...text];
  for (let at = 0; at < letters.length; at += size) yield letters.slice(at, at + size).join("");
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function cells(text: string): Promise<readonly (CsvRow | readonly (string | null)[])[]> {
  return (await all(csvRows(pieces(text)))).map((row) => ("cells" in row ? row.cells : row));
}

describe("a table in text", () => {
  test.each<[string, string, readonly unknown[]]>([
    [
      "bare fields",
      "a,b\nc,d\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "no line break at the end",
      "a,b\nc,d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "line breaks of Windows",
      "a,b\r\nc,d\r\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "commas, quotation marks and line breaks in quotation marks",
      '"a,""b""\r\nc",d\n',
      [['a,"b"\r\nc', "d"]],
    ],
    ["nothing and an empty text", 'a,,"",\\N,"\\N"\n', [["a", null, "", null, "\\N"]]],
    ["blank lines", "a\n\n\r\nb\n", [["a"], ["b"]]],
    ["a mark at the beginning", "\uFEFFa,b\n", [["a", "b"]]],
    ["a quotation mark within a bare field", 'Joe "J" X,b\n', [['Joe "J" X', "b"]]],
    ["blanks, which belong to their field", " a , b \n", [[" a ", " b "]]],
    ["a quoted field at the end of the file", '"a"', [["a"]]],
    ["nothing at all", "", []],
  ])("%s", async (_name, text, expected) => {
    expect(await cells(text)).toEqual(expected);
  });

  test("a row that is not written so is unreadable, and the next line counts again", async () => {
    expect(await cells('a,b\n"Joe "the man", Smith",c\nd,e\n')).toEqual([
      ["a", "b"],
      { row: 2, unreadable: "a quotation mark within a field" },
      ["d", "e"],
    ]);
  });

  test("a quotation mark that is never closed costs what the memory holds, not more", async () => {
    const rows = await cells(`a\n"${"x".repeat(longestRecord + 10)}\nb\nc\n`);
    expect(rows).toEqual([
      ["a"],
      { row: 2, unreadable: expect.stringContaining("longer than") },
      ["b"],
      ["c"],
    ]);
    expect(await cells('a\n"b\nc')).toEqual([["a"], { row: 2, unreadable: "the file ends within a field" }]);
  });

  test("rows are numbered by the line that they begin in", async () => {
    const rows = await all(csvRecords(pieces('h,i\n"a\nb",1\nc,2\n'), null));
    expect(rows).toEqual([
      { row: 2, fields: { h: "a\nb", i: "1" } },
      { row: 4, fields: { h: "c", i: "2" } },
    ]);
  });

  test("fields that the head does not name, and bytes that are no UTF-8, make a row unreadable", async () => {
    expect(await all(csvRecords(pieces("h,i\na\nb,c,d\n\uFFFD,x\ne,f\n"), null))).toEqual([
      { row: 2, unreadable: "1 fields where the head has 2" },
      { row: 3, unreadable: "3 fields where the head has 2" },
      { row: 4, unreadable: "not UTF-8" },
      { row: 5, fields: { h: "e", i: "f" } },
    ]);
  });

  test("a column that is called like something of every object is a column", async () => {
    const [record] = await all(csvRecords(pieces("__proto__,constructor\na,b\n"), null));
    expect(JSON.stringify(record)).toBe('{"row":2,"fields":{"__proto__":"a","constructor":"b"}}');
  });

  test("whatever is written by the rules is read back, however it is cut into pieces", async () => {
    const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", "ü", "𝒵", " ", "\\", "N") });
    const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), async (rows, size) => {
        const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const text = rows.map((row) => `${row.map(quoted).join(",")}\n`).join("");
        const read = await all(csvRows(pieces(text, size)));
        expect(read.map((row) => ("cells" in row ? row.cells : row))).toEqual(rows);
      }),
    );
  });
});

describe("lines of JSON", () => {
  const read = (text: string, size?: number): Promise<FileRecord[]> => all(lineRecords(pieces(text, size)));

  test("each is a record by its number, blank ones are none, and a broken one spoils no other", async () => {
    expect(await read('\uFEFF{"a":1}\r\n\n{"a":\n[2]\n{"b":"\uFFFD"}\n3')).toEqual([
      { row: 1, fields: { a: 1 } },
      { row: 3, unreadable: "not JSON" },
      { row: 4, fields: [2] },
      { row: 5, unreadable: "not UTF-8" },
      { row: 6, fields: 3 },
    ]);
  });

  test("a line without end is told of once", async () => {
    const long = `"${"x".repeat(longestRecord + 10)}"`;
    expect(await read(`1\n${long}\n2\n${long}`, 100_000)).toEqual([
      { row: 1, fields: 1 },
      { row: 2, unreadable: expect.stringContaining("longer than") },
      { row: 3, fields: 2 },
      { row: 4, unreadable: expect.stringContaining("longer than") },
    ]);
  });
});

test("a line or a row that never ends is told of before it has filled the memory", async () => {
  async function* endless(): AsyncGenerator<string> {
    yield '"';
    for (;;) yield "x".repeat(100_000);
  }
  const first = async <T>(records: AsyncGenerator<T>): Promise<T | null> =>
    (await records.next()).value ?? null;
  expect(await first(lineRecords(endless()))).toMatchObject({
    row: 1,
    unreadable: expect.stringContaining("longer"),
  });
});

describe("a list of JSON", () => {
  const read = (text: string, size?: number): Promise<FileRecord[]> => all(listRecords(pieces(text, size)));

  test.each<[string, string, readonly unknown[]]>([
    ["the document itself", ' [ {"a":1} , [2,[3]], "x]},\\"", 4 ] ', [{ a: 1 }, [2, [3]], 'x]},"', 4]],
    [
      "the first one in a document",
      '{ "kind": "[", "users": [{"a":{"b":[1]}}, {"a":2}], "more": [9] }',
      [{ a: { b: [1] } }, { a: 2 }],
    ],
    ["an empty one", "[]", []],
    ["an empty one within", '{"users": [ ]}', []],
  ])("%s", async (_name, text, expected) => {
    for (const size of [1, 7, 1000]) {
      expect((await read(text, size)).map((each) => ("fields" in each ? each.fields : each))).toEqual(
        expected,
      );
    }
  });

  test.each([
    ["no list", '{"users": {}}', "the file holds no list"],
    ["nothing", "", "the file holds no list"],
    ["half a list", '[{"a":1},{"a"', "the file ends before its list does"],
  ])("%s is told of", async (_name, text, unreadable) => {
    expect((await read(text)).at(-1)).toMatchObject({ unreadable });
  });

  test("an element that is no JSON, or too long, spoils no other", async () => {
    expect(await read(`[1, {a}, "${"x".repeat(longestRecord + 1)}", 2]`, 100_000)).toEqual([
      { row: 1, fields: 1 },
      { row: 2, unreadable: "not JSON" },
      { row: 3, unreadable: expect.stringContaining("longer than") },
      { row: 4, fields: 2 },
    ]);
  });

  test("whatever JSON is written is read back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), fc.integer({ min: 1, max: 9 }), async (values, size) => {
        const read = await all(listRecords(pieces(JSON.stringify(values, null, size % 3), size)));
        expect(read.map((each) => ("fields" in each ? each.fields : each))).toEqual(
          JSON.parse(JSON.stringify(values)),
        );
      }),
    );
  });
});

describe("fields", () => {
  test.each<[unknown, string | null]>([
    ["2019-03-04T05:06:07Z", "2019-03-04T05:06:07.000Z"],
    ["2019-03-04T05:06:07.123456+02:00", "2019-03-04T03:06:07.123Z"],
    ["2019-03-04 05:06:07.123456+00", "2019-03-04T05:06:07.123Z"],
    ["2019-03-04 05:06:07 -0330", "2019-03-04T08:36:07.000Z"],
    ["2019-03-04 05:06:07 UTC", "2019-03-04T05:06:07.000Z"],
    ["2019-03-04 05:06:07", "2019-03-04T05:06:07.000Z"],
    [1_551_675_967, "2019-03-04T05:06:07.000Z"],
    ["1551675967", "2019-03-04T05:06:07.000Z"],
    ["1551675967123", "2019-03-04T05:06:07.123Z"],
    [{ $date: "2019-03-04T05:06:07.123Z" }, "2019-03-04T05:06:07.123Z"],
    ["yesterday", null],
    ["2019-13-44 05:06:07", null],
    ["0000-00-00 00:00:00", null],
    [-5, null],
    ["", null],
    [null, null],
    [true, null],
  ])("the instant %j is %s", (value, expected) => {
    expect(instant({ at: value }, "at")?.toISOString() ?? null).toBe(expected);
  });

  test.each<[unknown, readonly string[]]>([
    [
      ["a", 1, "b"],
      ["a", "b"],
    ],
    ["a, b ,,c", ["a", "b", "c"]],
    ['["a","b"]', ["a", "b"]],
    ["", []],
    [null, []],
    [{ a: 1 }, []],
  ])("the texts %j are %j", (value, expected) => {
    expect(texts({ of: value }, "of")).toEqual(expected);
  });

  test.each<[string, string | null]>([
    ["google", "https://accounts.google.com"],
    ["google.com", "https://accounts.google.com"],
    ["google-oauth2", "https://accounts.google.com"],
    ["google_oauth2", "https://accounts.google.com"],
    ["GitHub", "https://github.com/login/oauth"],
    ["apple", "https://appleid.apple.com"],
    ["facebook.com", null],
    ["windowslive", null],
    ["constructor", null],
    ["email", null],
  ])("an account at %s is one of %s", (provider, issuer) => {
    expect(link(provider, "1", null)?.issuer ?? null).toBe(issuer);
    expect(link(provider, null, null)).toBeNull();
  });

  test.each([
    ["users.csv", "csv"],
    ["USERS.CSV.gz", "csv"],
    ["users.json", "json"],
    ["users.json.gz", "json"],
    ["users.ndjson", "ndjson"],
    ["users.jsonl", "ndjson"],
    ["users", "ndjson"],
  ])("%s holds %s", (path, format) => {
    expect(formatOf(path)).toBe(format);
  });
});
