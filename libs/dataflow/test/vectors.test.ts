import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, run } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { collectRows } from "./collect-rows.ts";

/** How Bytewax' operators behave, where we have them too; the vectors are not part of this repository. */
const FILE = join(import.meta.dirname, "../../../../shared/conformance/windowing-vectors.json");

interface Vector {
  readonly kind: string;
  readonly id: string;
  readonly op: string;
  readonly input: unknown;
  readonly expected: unknown;
  readonly params?: Readonly<Record<string, unknown>>;
}

const vectors = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as readonly Vector[]) : [];
const of = (op: string): readonly Vector[] =>
  vectors.filter((vector) => vector.kind === "operator" && vector.op === op);

if (vectors.length === 0) {
  test.skip("operator vectors (need ../shared/conformance/windowing-vectors.json)", () => undefined);
} else describe("operator vectors", operatorVectors);

function operatorVectors(): void {
  test.each(of("collect"))("$id", async ({ input, params, expected }) => {
    const { rows } = await collectRows(input as readonly unknown[], (values) =>
      values
        .keyBy("all", () => "ALL")
        .collect("lists", {
          maxSize: Number(params?.["max_size"]),
          timeout: Number(params?.["timeout_ms"]),
        })
        .map("with_key", (list, key) => [key, list])
        .dropKey(),
    );
    expect(rows).toEqual(expected);
  });

  test.each(of("stateful_map:running max"))("$id", async ({ input, expected }) => {
    const { runs } = input as { readonly runs: readonly (readonly (readonly [string, number])[])[] };
    const store = new MemoryStore();
    const source = new TestingSource<readonly [string, number]>();
    const outputs: unknown[] = [];
    for (const events of runs) {
      const out = new TestingSink<unknown>();
      const flow = new Dataflow("running_max");
      flow
        .input("in", source)
        .keyBy("key", ([key]) => key)
        .statefulMap(
          "max",
          () => -Infinity,
          (max, [key, value]) => {
            const next = Math.max(max, value);
            return [next, [key, next]];
          },
        )
        .output("out", out);
      source.push(events);
      source.end();
      await run(flow, { store });
      outputs.push(out.rows);
    }
    expect(outputs).toEqual(expected);
  });

  test.each(of("input->output"))("$id", async ({ input, expected }) => {
    const { items } = input as { readonly items: readonly (number | "ABORT" | "EOF")[] };
    const store = new MemoryStore();
    const source = new TestingSource<number>();
    const outputs: unknown[] = [];
    let next = 0;
    for (const _ of expected as readonly unknown[]) {
      const out = new TestingSink<number>();
      const flow = new Dataflow("passing");
      flow.input("in", source).output("out", out);
      const driver = await FlowDriver.start(flow, { store, commitEveryMs: 5_000 });
      let cut: "ABORT" | "EOF" = "EOF";
      for (let item = items[next]; item !== undefined; item = items[next]) {
        next += 1;
        if (typeof item === "number") source.push([item]);
        else {
          cut = item;
          break;
        }
      }
      await driver.settle();
      if (cut === "ABORT") {
        source.fail(new Error("abort"));
        await expect(driver.done).rejects.toThrow("abort");
        source.mend();
      } else {
        await driver.stop();
      }
      outputs.push(out.rows);
    }
    expect(outputs).toEqual(expected);
  });
}
