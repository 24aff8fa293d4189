import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AuthError } from "../../src/errors.ts";
import { mediaType, readBody } from "../../src/http/body.ts";
import { anyText } from "../support/arbitrary.ts";
import { bareRequest } from "../support/browser.ts";

const json = "application/json";
const form = "application/x-www-form-urlencoded";

function streamed(...chunks: readonly (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(Buffer.from(chunk));
      controller.close();
    },
  });
}

function read(
  body: string | Uint8Array | null,
  type: string | null = json,
  headers: Record<string, string> = {},
) {
  const all = type === null ? headers : { "content-type": type, ...headers };
  return readBody(
    bareRequest({ method: "POST", headers: all, body: body === null ? null : streamed(body) }),
    2_000,
  );
}

async function code(reading: Promise<unknown>): Promise<string> {
  return reading.then(
    () => "accepted",
    (error: unknown) => (error instanceof AuthError ? error.code : String(error)),
  );
}

describe("JSON", () => {
  test("is an object", async () => {
    expect(await read('{"a":[1,{"b":null}]}')).toEqual({ a: [1, { b: null }] });
    for (const text of ["[]", '"text"', "1", "null", "true"])
      expect(await code(read(text))).toBe("invalid_input");
  });

  test.each(
    ["{", "{'a':1}", '{"a":1,}', "", " ", "\u{feff}{", '{"a":01}', "undefined", '{"a":"\n"}'].filter(
      (text) => text !== "",
    ),
  )("that is malformed is refused: %j", async (text) => {
    expect(await code(read(text))).toBe("malformed_json");
  });

  test("of no bytes reads as an empty object", async () => {
    expect(await read("")).toEqual({});
    expect(await read(null)).toEqual({});
  });

  test.each([
    '{"a":1,"a":2}',
    '{"b":{"a":1,"a":2}}',
    '{"b":[{"a":1},{"a":1,"c":2,"a":3}]}',
    '{"a":1,"\\u0061":2}',
    '{"a\\"":1,"a\\"":2}',
    '{"":1,"":2}',
    '{"b":[],"a":1,"a":2}',
    '{"b":[{"c":1}],"b":2}',
    '{"b":{"c":{}},"a":1,"a":2}',
  ])("with a key twice is refused: %s", async (text) => {
    expect(await code(read(text))).toBe("malformed_json");
  });

  test.each([
    '{"a":{"a":{"a":1}}}',
    '{"a":"{\\"b\\":1,\\"b\\":2}"}',
    '{"x":[{"a":1},{"a":2}]}',
    '{"b":{"a":1},"a":2}',
    '{"a":"x:y","b":":"}',
  ])("with equal keys of different objects is fine: %s", async (text) => {
    expect(await read(text)).toEqual(JSON.parse(text));
  });

  test("nested deeper than eight is refused, however deep", async () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;
    expect(await code(read(nested(8)))).toBe("accepted");
    expect(await code(read(nested(9)))).toBe("invalid_input");
    expect(await code(read(`{"a":${"[".repeat(900)}${"]".repeat(900)}}`))).toBe("invalid_input");
  });

  test.each([
    ["NUL", '{"a":"x\\u0000"}'],
    ["NUL, deep inside", '{"a":[{"b":"\\u0000"}]}'],
    ["half of a surrogate pair", '{"a":"\\ud800"}'],
    ["NUL in a key", '{"a\\u0000":1}'],
    ["half of a surrogate pair in a key", '{"\\udfff":1}'],
    ["__proto__", '{"__proto__":{"isSuperuser":true}}'],
    ["__proto__, deep inside", '{"a":[{"__proto__":1}]}'],
  ])("with %s is refused", async (_, text) => {
    expect(await code(read(text))).toBe("invalid_input");
  });

  test("with a whole surrogate pair is fine", async () => {
    expect(await read('{"a":"\\ud83d\\ude00"}')).toEqual({ a: "\u{1f600}" });
  });

  test("that is not UTF-8 is refused", async () => {
    expect(await code(read(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])))).toBe("malformed_json");
  });
});

describe("a form", () => {
  test("gives its fields as text", async () => {
    expect({ ...(await read("a=1&b=x+y%20z&c", form)) }).toEqual({ a: "1", b: "x y z", c: "" });
  });

  test("with a field twice is refused, which __proto__ is none of", async () => {
    expect(await code(read("a=1&a=2", form))).toBe("invalid_input");
    const body = await read("__proto__=1&constructor=2", form);
    expect(Object.getPrototypeOf(body)).toBeNull();
    expect(body.constructor).toBe("2");
  });

  test.each(["a=%00", "%00=a"])("with NUL is refused: %s", async (text) => {
    expect(await code(read(text, form))).toBe("invalid_input");
  });

  test("that is not UTF-8 is refused", async () => {
    expect(await code(read(Buffer.from([0x61, 0x3d, 0xff]), form))).toBe("invalid_input");
  });
});

describe("size", () => {
  test("a body that declares too much is refused before it is read", async () => {
    let isPulled = false;
    const pull = (): void => {
      isPulled = true;
    };
    const body = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
    const headers = { "content-type": json, "content-length": "2001" };
    expect(await code(readBody(bareRequest({ method: "POST", headers, body }), 2_000))).toBe(
      "payload_too_large",
    );
    expect(isPulled).toBe(false);
  });

  test("a body that declares less than it sends is refused as soon as it is too large, and left", async () => {
    let pulls = 0;
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls++;
        controller.enqueue(Buffer.alloc(500, 0x20));
      },
      cancel() {
        isCancelled = true;
      },
    });
    const headers = { "content-type": json, "content-length": "10" };
    expect(await code(readBody(bareRequest({ method: "POST", headers, body }), 2_000))).toBe(
      "payload_too_large",
    );
    expect(pulls).toBeLessThan(8);
    expect(isCancelled).toBe(true);
  });

  test("the limit itself is allowed", async () => {
    const text = `{"a":"${"x".repeat(2_000 - 8)}"}`;
    expect(await code(read(text))).toBe("accepted");
    expect(await code(read(`${text} `))).toBe("payload_too_large");
  });

  test("a body that ends early is malformed", async () => {
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("reset")),
    });
    const request = bareRequest({ method: "POST", headers: { "content-type": json }, body });
    expect(await code(readBody(request, 2_000))).toBe("malformed_request");
  });
});

describe("the content type", () => {
  test.each([
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/problem+json",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded; charset=iso-8859-1",
    "json",
  ])("%s is unsupported", async (type) => {
    expect(await code(read('{"a":1}', type))).toBe("unsupported_media_type");
    expect(await code(read("", type))).toBe("unsupported_media_type");
  });

  test("of a body has to be said", async () => {
    expect(await code(read('{"a":1}', null))).toBe("unsupported_media_type");
    expect(await read("", null)).toEqual({});
  });

  test("is read whatever its case and parameters", () => {
    expect(mediaType("Application/JSON; Charset=UTF-8")).toBe(json);
    expect(mediaType('application/json;charset="utf-8"')).toBe(json);
    expect(mediaType("application/json; charset=utf-7")).toBe("unsupported/charset");
    for (const nothing of [null, undefined, ""]) expect(mediaType(nothing)).toBeNull();
  });
});

test("whatever the bytes and headers are, reading gives an object or a refusal of the 400s", async () => {
  const anything = fc.record({
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => Buffer.from(text)),
      anyText().map((text) => Buffer.from(`{"a":"${text}"}`)),
    ),
    type: fc.oneof(fc.constantFrom(json, form, `${json}; charset=utf-8`), anyText()),
    length: fc.option(anyText(), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(anything, async ({ bytes, type, length }) => {
      const headers: Record<string, string> = length === undefined ? {} : { "content-length": length };
      const result = await read(bytes, type, headers).catch((error: unknown) => error);
      if (result instanceof AuthError) expect(result.status).toBeLessThan(500);
      else expect(typeof result).toBe("object");
      expect(result).not.toBeInstanceOf(TypeError);
    }),
  );
});
