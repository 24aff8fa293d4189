import * as z from "zod/mini";
import type { InputSchema, JsonSchema, Reply, Route, RouteCall } from "../ports/route.ts";

/** A row before its types are forgotten. */
export interface RowOf<Schema extends z.ZodMiniType>
  extends Omit<Route, "input" | "inputJsonSchema" | "answers" | "handle"> {
  readonly input?: Schema;
  /** Schema of each good answer by its status; null for an empty body. */
  readonly answers: Readonly<Record<number, z.ZodMiniType | null>>;
  readonly handle: (call: RouteCall<z.output<Schema>>) => Promise<Reply>;
}

/** A row of the table of routes: what `handle` gets is what its schema lets through. */
export function row<Schema extends z.ZodMiniType = z.ZodMiniType<undefined>>(wanted: RowOf<Schema>): Route {
  const { input, answers, handle, ...rest } = wanted;
  return {
    ...rest,
    ...(input !== undefined && {
      input: input as InputSchema,
      inputJsonSchema: () => jsonSchema(input, "input"),
    }),
    answers: Object.fromEntries(
      Object.entries(answers).map(([status, schema]) => [
        status,
        schema === null ? null : () => jsonSchema(schema, "output"),
      ]),
    ),
    // The pipeline hands on exactly what `input` validated.
    handle: handle as Route["handle"],
  };
}

function jsonSchema(schema: z.ZodMiniType, io: "input" | "output"): JsonSchema {
  const { $schema: _, ...document } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return document;
}
