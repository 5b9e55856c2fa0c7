import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { MemoryStore, run } from "@millrace/dataflow";
import { echo } from "../examples/echo.ts";
import type { Suite } from "./bench.ts";

const LIB = join(import.meta.dirname, "../..");

export const examples: Suite = (bench) => {
  describe("the code in the README", () => {
    it("is the example", () => {
      const [, code] = /```ts\n(.*?)```/s.exec(readFileSync(join(LIB, "README.md"), "utf8")) ?? [];
      expect(code).toBe(readFileSync(join(LIB, "test/examples/echo.ts"), "utf8"));
    });

    it("copies a topic, and continues after what it has committed", async () => {
      const { kafka, other } = bench();
      const [from, to] = [await other.topic(), await other.topic()];
      const store = new MemoryStore();
      for (const lines of [["one", "two"], ["three"]]) {
        await other.write(from, lines);
        await run(echo({ brokers: kafka.broker }, from, to), {
          store,
          exitWhenIdleMs: 50,
          idleFrom: "start",
        });
      }
      expect(await other.valuesOf(to)).toEqual(["one", "two", "three"]);
    });
  });
};
