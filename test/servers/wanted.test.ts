import { describe, expect, test } from "vitest";
import { wordsIn } from "./wanted.ts";

const words = ["redisUrl", "mysqlUrl", "postgresUrl"];

function wanted(files: Readonly<Record<string, string>>, ...of: readonly string[]): (readonly string[])[] {
  const read = (file: string): string => {
    const text = files[file];
    if (text === undefined) throw new Error(`there is no ${file}`);
    return text;
  };
  const found = wordsIn(of, words, read);
  return of.map((file) => [...(found.get(file) ?? [])].sort());
}

describe("what a test file asks for", () => {
  test("is what it injects, and nothing that another does", () => {
    const files = { "/t/a.ts": `inject("redisUrl")`, "/t/b.ts": `inject("mysqlUrl"); "postgresUrl";` };
    expect(wanted(files, "/t/a.ts", "/t/b.ts")).toEqual([["redisUrl"], ["mysqlUrl", "postgresUrl"]]);
  });

  test("is also what its imports inject, however they are written, in circles as well", () => {
    const files = {
      "/t/a.ts": `import { x } from "./deep/b.ts";\nimport\n  "./c.ts";`,
      "/t/deep/b.ts": `export * from "../d.ts"; import "../a.ts"; import { y } from "somewhere";`,
      "/t/c.ts": `const { z } = await import("./e.ts");`,
      "/t/d.ts": `inject("redisUrl")`,
      "/t/e.ts": `inject("mysqlUrl"); import "./lost.ts";`,
    };
    expect(wanted(files, "/t/a.ts", "/t/d.ts")).toEqual([["mysqlUrl", "redisUrl"], ["redisUrl"]]);
  });

  test("is nothing that only begins alike", () => {
    expect(wanted({ "/t/a.ts": `inject("redisUrls"); redisUrl;` }, "/t/a.ts")).toEqual([[]]);
  });
});
