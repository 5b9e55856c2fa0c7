import { UsageError, listOf, text } from "@millrace/cli";
import type { CommandLine, Value } from "@millrace/cli";
import { parseCondition } from "./condition.ts";
import type { Condition } from "./condition.ts";
import { parseNamedField } from "./field.ts";
import type { Field, NamedField } from "./field.ts";

/** What is made of the events of a row. */
export type Measure =
  | { readonly kind: "count" }
  | { readonly kind: "sum" | "min" | "max" | "mean" | "distinct"; readonly field: Field }
  /** `q` from 0 to 1. */
  | { readonly kind: "quantile"; readonly field: Field; readonly q: number };

/** A column of the rows. */
export interface Column<T> {
  readonly name: string;
  readonly from: T;
}

/** What `millrace count` counts. */
export interface CountSpec {
  /** Name of the flow. */
  readonly id: string;
  readonly by: readonly Column<Field>[];
  readonly where: readonly Condition[];
  /** At least one. */
  readonly measures: readonly Column<Measure>[];
}

const FIELD_MEASURES = {
  sum: "sum of a field's numbers; true counts as 1",
  min: "least number of a field",
  max: "greatest number of a field",
  mean: "mean of a field's numbers",
  distinct: "number of different values of a field",
} as const;

/** Names that `--meta` gives to fields of a row. */
const TAKEN = new Set(["window", "revision", "cause", "complete", "overflow", "replaces", "otherRows"]);

/**
 * Declares what is counted.
 *
 * The value throws a UsageError for two columns of one name.
 */
export function countOptions(cli: CommandLine): Value<CountSpec> {
  const by = cli.list({
    flag: "--by <fields>",
    env: "MILLRACE_BY",
    description:
      'a row for each value of a field, or of several: country,user.plan; a column is named after its field, or by "country as land"',
    parse: listOf(parseNamedField),
    defaultText: "one row for all",
  });
  const where = cli.list({
    flag: "--where <condition>",
    env: "MILLRACE_WHERE",
    description:
      "only events for which it holds: a field, one of = != < <= > >=, and a value, such as amount>=10; may be repeated, then all must hold",
    parse: parseCondition,
    defaultText: "all events",
  });
  const count = cli.option({
    flag: "--count [name]",
    env: "MILLRACE_COUNT",
    description: "number of events, in a column of this name",
    parse: (given) => (given === "true" ? "count" : text(given.replace(/^as\s+/i, ""))),
    defaultText: "count, if no other column is asked for",
  });
  const measured = Object.entries(FIELD_MEASURES).map(([kind, description]) => ({
    kind: kind as keyof typeof FIELD_MEASURES,
    fields: cli.list({
      flag: `--${kind} <field>`,
      env: `MILLRACE_${kind.toUpperCase()}`,
      description: `${description}, in a column ${kind}_<field>, or named as in "amount as total"; several may be given, by commas or repeated`,
      parse: listOf(parseNamedField),
    }),
  }));
  const quantile = cli.list({
    flag: "--quantile <field:q>",
    env: "MILLRACE_QUANTILE",
    description:
      "quantile of a field's numbers, within 1 %, such as latency:0.99, in a column p99_latency, or named with as; several may be given",
    parse: listOf(parseQuantile),
  });
  const id = cli.option(
    {
      flag: "--name <id>",
      env: "MILLRACE_NAME",
      description: "name of this count in Redis: of its state, its results and its consumer group",
      parse: flowId,
    },
    "count",
  );
  return () => {
    const counted = count();
    const fields: readonly Column<Measure>[] = [
      ...measured.flatMap(({ kind, fields }) =>
        fields()
          .flat()
          .map(({ field, name }) => ({
            name: name ?? `${kind}_${field.path}`,
            from: { kind, field },
          })),
      ),
      ...quantile()
        .flat()
        .map(({ field, name, q }) => ({
          name: name ?? `p${percent(q)}_${field.path}`,
          from: { kind: "quantile" as const, field, q },
        })),
    ];
    const spec: CountSpec = {
      id: id(),
      by: by()
        .flat()
        .map(({ field, name }) => ({ name: name ?? field.path, from: field })),
      where: where(),
      measures:
        counted === undefined && fields.length > 0
          ? fields
          : [{ name: counted ?? "count", from: { kind: "count" } }, ...fields],
    };
    requireNames([...spec.by, ...spec.measures].map(({ name }) => name));
    return spec;
  };
}

function parseQuantile(given: string): NamedField & { readonly q: number } {
  const [, path = "", rank = "", rest = ""] = /^(.*):\s*([\d.]+)(\s+as\s.*)?\s*$/is.exec(given) ?? [];
  const q = /^\d*\.?\d+$/.test(rank) ? Number(rank) : Number.NaN;
  if (q >= 0 && q <= 1) return { ...parseNamedField(path + rest), q };
  throw new RangeError(
    `${JSON.stringify(given)} is no quantile: give a field and a number from 0 to 1, such as latency:0.99`,
  );
}

/** 0.999 as 99.9, without the digits that multiplication adds. */
function percent(q: number): string {
  return String(Number((q * 100).toPrecision(12)));
}

function flowId(given: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(given)) return given;
  throw new RangeError(`${JSON.stringify(given)} is no name of letters, digits, _ and -`);
}

/** @throws UsageError */
function requireNames(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (TAKEN.has(name)) {
      throw new UsageError(
        `rows have a field ${name} of their own (--meta): name the column with as, such as "${name} as ${name}_"`,
      );
    }
    if (seen.has(name)) {
      throw new UsageError(`two columns are named ${name}: name one of them with as`);
    }
    seen.add(name);
  }
}
