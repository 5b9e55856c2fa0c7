import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Dataflow, run } from "@millrace/dataflow";
import type { DeadLetter, Stream } from "@millrace/dataflow";
import { TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { collectRows } from "../collect-rows.ts";

describe("stateless operators", () => {
  test("map, filter, filterMap and flatMap work as the array methods", async () => {
    const { rows } = await collectRows([1, 2, 3, 4, 5, 6, 7], (numbers) =>
      numbers
        .map("double", (n) => 2 * n)
        .filter("big", (n) => n > 4)
        .filterMap("third", (n) => (n % 3 === 0 ? n / 3 : undefined))
        .flatMap("repeat", (n) => Array.from({ length: n }, () => n)),
    );
    expect(rows).toEqual([2, 2, 4, 4, 4, 4]);
  });

  test("branch sends each event to one branch", async () => {
    const odd = new TestingSink<number>();
    const { rows } = await collectRows([1, 2, 3, 4, 5], (numbers) => {
      const { yes, no } = numbers.branch("even", (n) => n % 2 === 0);
      no.output("odd", odd);
      return yes;
    });
    expect(rows).toEqual([2, 4]);
    expect(odd.rows).toEqual([1, 3, 5]);
  });

  test("a type guard types both branches", async () => {
    const { rows } = await collectRows<string | number, number, undefined>([1, "two", 3], (mixed) => {
      const { yes, no } = mixed.branch("text", (event) => typeof event === "string");
      return no.merge(
        "all",
        yes.map("length", (text) => text.length),
      );
    });
    expect([...rows].sort()).toEqual([1, 3, 3]);
  });

  test("inspect sees every event and changes none", async () => {
    const seen: number[] = [];
    const { rows } = await collectRows([1, 2, 3], (numbers) => numbers.inspect("look", (n) => seen.push(n)));
    expect(seen).toEqual([1, 2, 3]);
    expect(rows).toEqual([1, 2, 3]);
  });

  test("values keep their keys through every keyed operator", async () => {
    const { rows } = await collectRows(["a1", "b2", "a3", "c4"], (texts) =>
      texts
        .keyBy("letter", (text) => text.slice(0, 1))
        .filter("not_b", (_, key) => key !== "b")
        .flatMap("twice", (text) => [text, text])
        .map("with_key", (text, key) => `${key}:${text}`)
        .dropKey(),
    );
    expect(rows).toEqual(["a:a1", "a:a1", "a:a3", "a:a3", "c:c4", "c:c4"]);
  });
});

describe("a function that throws", () => {
  const failing = (
    numbers: Stream<number>,
    onError?: "dead-letter" | { retries: number; then?: "dead-letter" },
  ) =>
    numbers.map(
      "reciprocal",
      (n) => {
        if (n === 0) throw new RangeError("division by zero");
        return 1 / n;
      },
      onError === undefined ? {} : { onError },
    );

  test("ends the flow with an error that names step, partition and event", async () => {
    await expect(collectRows([1, 0, 2], (numbers) => failing(numbers))).rejects.toMatchObject({
      code: "MILLRACE_STEP_FAILED",
      message: expect.stringMatching(
        /^step "reciprocal", partition "iterable": division by zero \(event: 0\); thrown at .*\.ts:\d+:\d+$/,
      ),
      cause: expect.any(RangeError),
    });
  });

  test("loses only its own event under the policy dead-letter", async () => {
    const deadLetter = new TestingSink<DeadLetter>();
    const { rows, stats } = await collectRows(
      [1, 0, 2, 0, 0, 4],
      (numbers) => failing(numbers, "dead-letter"),
      {
        flow: { deadLetter },
        batchSize: 100,
      },
    );
    expect(rows).toEqual([1, 0.5, 0.25]);
    expect(deadLetter.rows).toHaveLength(3);
    expect(deadLetter.rows[0]).toEqual({
      step: "reciprocal",
      part: "iterable",
      reason: { code: "step-failed", message: "division by zero" },
      payload: "0",
    });
    expect(stats.tasks[0]?.steps.find(({ id }) => id === "reciprocal")?.figures).toEqual({ skipped: 3 });
  });

  test("causes no copy of its batch, even if many fail", async () => {
    const count = 50_000;
    const source = new TestingSource<number>();
    const out = new TestingSink<string>();
    const letters = new TestingSink<DeadLetter>();
    let calls = 0;
    let copied = 0;
    /** Counts the elements that are copied of it. */
    const counting = (column: readonly number[]): readonly number[] =>
      Object.assign([...column], {
        slice(from?: number, to?: number): readonly number[] {
          const part = column.slice(from, to);
          copied += part.length;
          return counting(part);
        },
      });
    const flow = new Dataflow("failing", { deadLetter: letters });
    flow
      .input("in", source)
      .map(
        "even",
        (n) => {
          calls += 1;
          if (n % 2 === 1 || n < count / 2) throw new Error("odd or small");
          return n;
        },
        { onError: "dead-letter" },
      )
      .keyBy("key", (n) => String(n))
      .map("with_key", (n, key) => `${key}:${n}`)
      .output("out", out);
    const numbers = Array.from({ length: count }, (_, n) => n);
    source.push(counting(numbers), { times: counting(numbers) });
    source.end();
    await run(flow);
    expect(calls).toBe(count);
    expect(copied).toBeLessThanOrEqual(2 * count);
    expect(letters.rows).toHaveLength(count * 0.75);
    expect(out.rows.slice(0, 2)).toEqual(["25000:25000", "25002:25002"]);
  });

  test("is called again as often as the policy says", async () => {
    let calls = 0;
    const { rows } = await collectRows(["a", "b"], (texts) =>
      texts.map(
        "flaky",
        (text) => {
          calls += 1;
          if (text === "b" && calls < 4) throw new Error("not yet");
          return text;
        },
        { onError: { retries: 2 } },
      ),
    );
    expect(rows).toEqual(["a", "b"]);
    await expect(collectRows([0], (numbers) => failing(numbers, { retries: 2 }))).rejects.toThrow(
      "division by zero",
    );
  });

  test("emits no rows of an event that it failed to expand", async () => {
    const { rows } = await collectRows([1, 2, 3], (numbers) =>
      numbers.flatMap(
        "expand",
        function* (n) {
          yield n;
          if (n === 2) throw new Error("half way");
          yield n;
        },
        { onError: "dead-letter" },
      ),
    );
    expect(rows).toEqual([1, 1, 3, 3]);
  });

  test.each([
    [true, /the key is a boolean, and keys are strings/],
    [NaN, /the key is NaN, and keys are strings or finite numbers/],
    [Infinity, /the key is Infinity, and keys are strings or finite numbers/],
  ])("is refused the key %p", async (key, message) => {
    const keyOf = (value: unknown): string => (value as { readonly key: string }).key;
    await expect(collectRows([{ key }], (events) => events.keyBy("k", keyOf))).rejects.toThrow(message);
  });

  test("is given a number as its text", async () => {
    const { rows } = await collectRows([{ id: 7 }, { id: -0 }, { id: 0.5 }, { id: 1e21 }], (events) =>
      events.keyBy("id").map((_, key) => key),
    );
    expect(rows).toEqual(["7", "0", "0.5", "1e+21"]);
  });
});

/** A step both as an operator and as a function on arrays. */
const stepKinds = fc.constantFrom("map", "filter", "filterMap", "flatMap", "inspect");

test("any chain of stateless operators equals the same chain over an array, for any batches", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer(), { maxLength: 40 }),
      fc.array(stepKinds, { maxLength: 6 }),
      fc.integer({ min: 1, max: 45 }),
      async (numbers, kinds, batchSize) => {
        const expected = kinds.reduce<readonly number[]>(overArray, numbers);
        const { rows } = await collectRows(numbers, (stream) => kinds.reduce(overStream, stream), {
          batchSize,
        });
        expect(rows).toEqual(expected);
      },
    ),
    { numRuns: 60 },
  );
});

const plusOne = (n: number): number => n + 1;
const isEven = (n: number): boolean => n % 2 === 0;
const halfOfEven = (n: number): number | undefined => (isEven(n) ? n / 2 : undefined);
const twice = (n: number): number[] => [n, -n];

function overArray(numbers: readonly number[], kind: string): readonly number[] {
  if (kind === "map") return numbers.map(plusOne);
  if (kind === "filter") return numbers.filter(isEven);
  if (kind === "filterMap") return numbers.map(halfOfEven).filter((n) => n !== undefined);
  if (kind === "flatMap") return numbers.flatMap(twice);
  return numbers;
}

function overStream(stream: Stream<number>, kind: string, index: number): Stream<number> {
  const id = `s${index}`;
  if (kind === "map") return stream.map(id, plusOne);
  if (kind === "filter") return stream.filter(id, isEven);
  if (kind === "filterMap") return stream.filterMap(id, halfOfEven);
  if (kind === "flatMap") return stream.flatMap(id, twice);
  return stream.inspect(id, () => undefined);
}
