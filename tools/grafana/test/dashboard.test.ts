import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { servedMetrics } from "./support/served-metrics.ts";
import type { ServedMetrics } from "./support/served-metrics.ts";
import { unserved } from "./support/unserved.ts";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly Target[];
}

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly uid: string };
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

const text = await readFile(join(import.meta.dirname, "../dashboard.json"), "utf8");
const { panels, templating, annotations } = JSON.parse(text) as Dashboard;
const charts = panels.filter(({ type }) => type !== "row");

describe("queries", () => {
  let served: ServedMetrics;
  beforeAll(async () => {
    served = await servedMetrics();
  });

  test.each(charts)("of $title read what /metrics serves", ({ targets = [] }) => {
    expect(targets).not.toEqual([]);
    for (const { expr, legendFormat } of targets) {
      const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
      expect(unserved(served, withoutVariables(expr), shown)).toEqual([]);
    }
  });

  test("of variables and annotations do so, too", () => {
    const ofVariables = templating.list.flatMap(({ definition }) => {
      if (definition === undefined) return [];
      const [, query = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
      return [unserved(served, query, [label])];
    });
    expect(ofVariables).toEqual([[], []]);
    for (const { expr } of annotations.list) expect(unserved(served, expr)).toEqual([]);
  });

  test("a metric or a label that is not served is found, and what is not PromQL", () => {
    expect(unserved(served, "sum by (place) (rate(millrace_event_total[5m]))")).toEqual([
      "millrace_event_total",
      "label place",
    ]);
    expect(unserved(served, 'millrace_events_total{partition="a"} > 0', ["step"])).toEqual([
      "millrace_events_total{partition}",
      "label step",
    ]);
    expect(() => unserved(served, "sum(millrace_events_total[5m)")).toThrow("not PromQL");
  });
});

describe("the layout", () => {
  test("has a different id for each panel, and a different letter for each query of a panel", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { targets = [] } of charts) {
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
  });

  test("covers each cell of the grid at most once", () => {
    const cells = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect([`${x},${y}`, cells.get(`${x},${y}`)]).toEqual([`${x},${y}`, undefined]);
          cells.set(`${x},${y}`, title);
        }
      }
    }
  });

  test("says of each panel what it shows", () => {
    for (const { title, description } of charts)
      expect([title, description]).toEqual([title, expect.any(String)]);
  });
});

test("all queries use the data source and the variables that the dashboard declares", () => {
  const declared = new Set(templating.list.map(({ name }) => name));
  const used = [...text.matchAll(/\$\{?(\w+)/g)].map(([, name = ""]) => name);
  expect(used.filter((name) => !declared.has(name) && !name.startsWith("__"))).toEqual([]);
  for (const { datasource, targets = [] } of charts) {
    expect([datasource, ...targets.map((target) => target.datasource)].map((source) => source?.uid)).toEqual(
      Array.from({ length: targets.length + 1 }, () => "${datasource}"),
    );
  }
});

/** As Grafana sends it. */
function withoutVariables(expr: string): string {
  return expr.replaceAll("$__rate_interval", "20s").replaceAll("$__range", "30m");
}
