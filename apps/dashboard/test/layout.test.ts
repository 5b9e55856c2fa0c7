import { expect, test } from "@jest/globals";
import type { Step } from "@millrace/observe/api";
import { placeFlow, shortName } from "../page/graph/layout.ts";
import { snapshotOf } from "./run-data.ts";

test("steps follow each other from left to right, or from top to bottom", () => {
  const { flow } = snapshotOf();
  const [first, second] = placeFlow(flow, "LR").steps;
  expect(second?.x).toBeGreaterThan((first?.x ?? 0) + (first?.width ?? 0) / 2);
  const [upper, lower] = placeFlow(flow, "TB").steps;
  expect(lower?.y).toBeGreaterThan((upper?.y ?? 0) + (upper?.height ?? 0) / 2);
});

test("two ports of one step to the same step are two edges", () => {
  const { flow } = snapshotOf();
  const merge: Step = {
    id: "merge",
    operator: "merge",
    kind: "other",
    inputs: [
      { step: "windows", port: "late" },
      { step: "windows", port: "refused" },
    ],
    ports: ["down"],
    detail: null,
  };
  const { edges } = placeFlow({ ...flow, steps: [...flow.steps, merge] }, "LR");
  expect(edges.map(({ from, port, to }) => `${from} ${port} ${to}`)).toEqual([
    "clicks down windows",
    "windows late merge",
    "windows refused merge",
  ]);
  expect(edges.every(({ path }) => /^M[\d.]+ [\d.]+[QL]/.test(path))).toBe(true);
});

test("long names are cut", () => {
  expect(shortName("x".repeat(60))).toHaveLength(26);
});
