import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { servedMetrics } from "./support/served-metrics.ts";
import type { ServedMetrics } from "./support/served-metrics.ts";
import { unserved } from "./support/unserved.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const execute = promisify(execFile);
const RULES = join(import.meta.dirname, "../alerts.yml");
const { groups } = parse(await readFile(RULES, "utf8")) as { groups: { readonly rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

describe("alert rules", () => {
  let served: ServedMetrics;
  beforeAll(async () => {
    served = await servedMetrics();
  });

  test.each(rules)(
    "$alert reads what /metrics serves, and says what to do",
    ({ expr, labels, annotations }) => {
      const { summary, description } = annotations;
      const shown = [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(
        ([, label = ""]) => label,
      );
      expect(unserved(served, expr, shown)).toEqual([]);
      expect(labels.severity).toMatch(/^(critical|warning)$/);
      expect(description.length).toBeGreaterThan(80);
    },
  );

  test("have different names", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

const promtool = await execute("promtool", ["--version"]).then(
  () => true,
  () => false,
);

(promtool ? test : test.skip)("the rules fire when they should: needs promtool of Prometheus", async () => {
  await execute("promtool", ["test", "rules", join(import.meta.dirname, "alerts.promtool.yml")]);
});
