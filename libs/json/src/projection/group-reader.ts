import { compile, quoted } from "../compile.ts";
import { Thrown, validatorOf, type AnySchema, type Validate } from "../validate.ts";
import type { TextPool } from "./text-pool.ts";
import type { ValueType } from "./value-pattern.ts";

/** One group of a layout's pattern: a value that is read. */
export interface Cell {
  readonly name: string;
  readonly type: ValueType;
  /** Whether an empty group is a null. */
  readonly nullable: boolean;
  /** Where its texts come from, if the value is handed on. */
  readonly pool: TextPool | undefined;
  /** The schema that has the last word on the value, if the pattern does not say all. */
  readonly schema: AnySchema | undefined;
}

/** Makes an event of a match; undefined where a field's schema refuses its value. */
export type GroupReader = (groups: readonly (string | undefined)[]) => object | undefined;

/**
 * The reader of the groups of a layout; undefined where none can be compiled.
 *
 * @param wanted the event's fields in their order, none with a name that every object inherits
 * @param cells one for each group
 */
export function groupReader(wanted: readonly string[], cells: readonly Cell[]): GroupReader | undefined {
  const checks = cells.flatMap((cell, i) =>
    cell.schema === undefined
      ? []
      : [
          `const v${i} = check(validators[${i}], ${valueOf(cell, i)});`,
          `if (v${i} === undefined) return undefined;`,
        ],
  );
  const members = wanted.flatMap((name) => {
    const i = cells.findIndex((cell) => cell.name === name);
    const cell = cells[i];
    if (cell === undefined) return [];
    return [`${quoted(name)}: ${cell.schema === undefined ? valueOf(cell, i) : `v${i}.value`}`];
  });
  const make = compile(
    ["pools", "validators", "check"],
    `const [${cells.map((_, i) => `pool${i}`).join(", ")}] = pools;
    return (groups) => {
      ${checks.join("\n")}
      return {${members.join(", ")}};
    }`,
  );
  const pools = cells.map(({ pool }) => pool);
  const validators = cells.map(({ schema }) => schema && validatorOf(schema));
  return make?.(pools, validators, passed) as GroupReader | undefined;
}

/** The value of the group of cell `i` as an expression. */
function valueOf({ type, nullable, pool }: Cell, i: number): string {
  const group = `groups[${i + 1}]`;
  const value = written(type, group, pool === undefined ? undefined : `pool${i}`);
  return nullable ? `(${group} === undefined ? null : ${value})` : value;
}

function written(type: ValueType, group: string, pool: string | undefined): string {
  switch (type) {
    case "text":
      // What is checked and not handed on may go on being a part of its line.
      return pool === undefined ? group : `${pool}.own(${group})`;
    case "number":
      return `Number(${group})`;
    case "boolean":
      return `(${group} === "true")`;
    case "null":
      return "null";
  }
}

/** What a schema made of the value that it takes; undefined where it does not take it. */
function passed(validate: Validate, value: unknown): { readonly value: unknown } | undefined {
  const verdict = validate(value);
  return verdict instanceof Thrown || verdict.issues !== undefined ? undefined : verdict;
}
