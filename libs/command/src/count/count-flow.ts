import { createHash } from "node:crypto";
import { UsageError } from "@millrace/cli";
import { Dataflow } from "@millrace/dataflow";
import type { Decoder, Partitioning, RawLine } from "@millrace/dataflow";
import { json } from "@millrace/json";
import { count, distinct, max, mean, min, quantile, sum } from "@millrace/windowing";
import type { Aggregates, Clock, ClosingFold } from "@millrace/windowing";
import type { FlowOf } from "../flows/flow-parts.ts";
import { timeFieldOf } from "../options/clock-spec.ts";
import type { CountSpec, Measure } from "./count-options.ts";
import { typeOf } from "./field.ts";
import type { Field } from "./field.ts";
import { foldNumbers, numberIn } from "./number-folds.ts";
import { rowKeyOf } from "./row-key.ts";

type Event = Readonly<Record<string, unknown>>;

/** The flow of `millrace count`. */
export function countFlow(spec: CountSpec): FlowOf {
  return ({ source, windower, clock, windowing, results, late }) => {
    const flow = new Dataflow(spec.id, { version: versionOf(spec) });
    const key = rowKeyOf(spec.by.map(({ from }) => from));
    const { partitioning } = source;
    const divider = partitioning.kind === "by" ? partitioning.field : undefined;
    requireWholeGroups(spec, partitioning);
    const decoded = flow.input("events", source).decode(decoderOf(spec, clock));
    const chosen =
      spec.where.length === 0
        ? decoded
        : decoded.filter("where", (event) => spec.where.every(({ holds }) => holds(event)));
    const keyed = chosen.keyBy("by", key.of, {
      onError: "dead-letter",
      // All events of a key have the same value in each field of it.
      ...(divider !== undefined && spec.by.some(({ from }) => from.path === divider)
        ? { field: divider }
        : {}),
    });
    const numbers = keyed
      .window("windows", windower, clock, { ...windowing, onError: "dead-letter" })
      .aggregate(
        "numbers",
        Object.fromEntries(spec.measures.map(({ name, from }) => [name, foldOf(from)])) as Aggregates<Event>,
      );
    numbers
      .mapValue((row, result) => {
        const values = key.valuesOf(result.key);
        return { ...Object.fromEntries(spec.by.map(({ name }, i) => [name, values[i]])), ...row };
      })
      .output("out", results);
    if (late !== undefined) numbers.late.merge(numbers.refused).output("late", late);
    return flow;
  };
}

/** Otherwise each partition would have a row of its own for the same group. @throws UsageError */
function requireWholeGroups({ by }: CountSpec, partitioning: Partitioning): void {
  if (partitioning.kind === "arbitrary") {
    throw new UsageError(
      "--channel: each of several names, and each partition of a topic, is counted apart, and a group may be in all of them; name the field that divides the " +
        "events among them with --partition-by, or read channels of Pub/Sub as one with --channel-pattern",
    );
  }
  if (partitioning.kind === "by" && !by.some(({ from }) => from.path === partitioning.field)) {
    throw new UsageError(
      `--by: it must contain ${partitioning.field}, which divides the events among the partitions (--partition-by), so that each group is in one of them`,
    );
  }
}

/** Another version for each meaning of the rows, so that no count continues with the state of another one. */
function versionOf({ by, where, measures }: CountSpec): number {
  const meaning = JSON.stringify([
    by.map(({ name, from }) => [name, from.path]),
    where.map(({ text }) => text),
    measures.map(({ name, from }) => [name, measureText(from)]),
  ]);
  return createHash("sha256").update(meaning).digest().readUIntBE(0, 6);
}

function measureText(measure: Measure): string {
  if (measure.kind === "count") return measure.kind;
  const rank = measure.kind === "quantile" ? `:${measure.q}` : "";
  return `${measure.kind} ${measure.field.path}${rank}`;
}

/** Only the fields that are read, if each of them is on the top level: that saves parsing most lines. */
function decoderOf({ by, where, measures }: CountSpec, clock: Clock<unknown>): Decoder<RawLine, Event> {
  const codec = json<Event>();
  const timeField = timeFieldOf(clock);
  const readsTime = clock.kind === "event" && clock.timestamp !== undefined;
  const paths = [
    ...by.map(({ from }) => from.path),
    ...where.map(({ field }) => field.path),
    ...measures.flatMap(({ from }) => (from.kind === "count" ? [] : [from.field.path])),
    ...(timeField === undefined ? [] : [timeField]),
  ];
  if (paths.length === 0 || paths.some((path) => path.includes("."))) return codec;
  return readsTime && timeField === undefined ? codec : codec.pick(...paths);
}

function foldOf(measure: Measure): ClosingFold<Event, unknown, unknown> {
  switch (measure.kind) {
    case "count":
      return erased(count());
    case "sum": {
      const read = numberIn(measure.field);
      return erased(sum((event: Event) => read(event) ?? 0));
    }
    case "min":
      return erased(foldNumbers(measure.field, min));
    case "max":
      return erased(foldNumbers(measure.field, max));
    case "mean":
      return erased(foldNumbers(measure.field, mean));
    case "quantile": {
      const { q } = measure;
      return erased(foldNumbers(measure.field, (valueOf) => quantile(valueOf, q)));
    }
    case "distinct":
      return erased(distinct(distinguished(measure.field)));
  }
}

/** A fold of any accumulator, as `aggregate` takes it: it hands each fold only what that has made. */
function erased<A, R>(fold: ClosingFold<Event, A, R>): ClosingFold<Event, unknown, unknown> {
  return fold;
}

/** A value that is the same for equal values only. A boolean is no text. */
function distinguished(field: Field): (event: Event) => string | number | undefined {
  return (event) => {
    const value = field.of(event);
    if (typeof value === "string" || typeof value === "number") return value;
    if (value === undefined || value === null) return undefined;
    if (typeof value === "boolean") return `\0${value}`;
    throw new TypeError(`field "${field.path}" is ${typeOf(value)}: name a field within it`);
  };
}
