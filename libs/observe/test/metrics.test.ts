import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { taskOf } from "./fake-run.ts";
import { closeAll, observed, served } from "./support.ts";
import type { FlowMonitor } from "../src/index.ts";

afterEach(closeAll);

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)?\\})? (\\S+)$`);

/** Reads the text format of Prometheus strictly: HELP and TYPE once before the samples of a family, no series twice. */
function parse(text: string): ReadonlyMap<string, Family> {
  expect(text.endsWith("\n")).toBe(true);
  const families = new Map<string, Family & { readonly samples: Sample[] }>();
  const series = new Set<string>();
  const helps = new Map<string, string>();
  let current: (Family & { readonly samples: Sample[] }) | undefined;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, helpOf, help] = /^# HELP (\S+) (.+)$/.exec(line) ?? [];
    const [, typeOf, type] = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line) ?? [];
    if (helpOf !== undefined) helps.set(helpOf, help ?? "");
    else if (typeOf !== undefined) {
      if (families.has(typeOf)) throw new Error(`${typeOf} comes twice`);
      current = { name: typeOf, type: type ?? "", help: helps.get(typeOf) ?? "", samples: [] };
      families.set(typeOf, current);
    } else {
      const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
      const suffix = current === undefined ? "" : name.slice(current.name.length);
      const allowed = current?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (current === undefined || !name.startsWith(current.name) || !allowed.includes(suffix))
        throw new Error(`not a sample of ${current?.name ?? "a family"}: ${line}`);
      if (!/^(NaN|[+-]Inf|-?\d+(\.\d+)?(e[+-]\d+)?)$/i.test(value)) throw new Error(`not a value: ${line}`);
      if (series.has(`${name}{${labels}}`)) throw new Error(`twice: ${line}`);
      series.add(`${name}{${labels}}`);
      const pairs = [...labels.matchAll(new RegExp(LABEL, "g"))].map(([pair]) => pair.split("="));
      current.samples.push({
        name,
        labels: Object.fromEntries(pairs.map(([label = "", quoted = ""]) => [label, quoted.slice(1, -1)])),
        value: Number(value),
      });
    }
  }
  return families;
}

async function scrape(monitor: FlowMonitor, time = undefined as Parameters<typeof served>[1]) {
  const { get } = await served(monitor, time);
  const response = await get("/metrics");
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parse(await response.text());
}

describe("/metrics", () => {
  test("passes a strict parser, with odd names, too", async () => {
    const { monitor, run } = observed();
    run.tasks = [taskOf("a"), taskOf('b"\\\n{x="y"}')];
    const families = await scrape(monitor);
    expect(families.get("millrace_events_total")?.samples).toHaveLength(2);
    for (const { name, type, help } of families.values()) {
      expect(help).not.toBe("");
      if (!name.startsWith("millrace_")) continue;
      expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
      expect(name).not.toMatch(/_(ms|millis|kb)\b/);
    }
    expect(families.has("nodejs_eventloop_lag_seconds")).toBe(true);
    expect(families.has("nodejs_heap_size_used_bytes")).toBe(true);
  });

  test("has the figures of partitions and steps", async () => {
    const { monitor, time } = observed();
    const { get } = await served(monitor, { time });
    monitor.batchDone({ part: "a", startedAt: 0, durationMs: 3, events: 10 });
    const commit = {
      part: "a",
      startedAt: 0,
      durationMs: 30,
      number: 1,
      changes: 1,
      rows: 1,
      partial: false,
    };
    monitor.commitDone({ ...commit, bytes: 1_234 });
    monitor.commitDone({ ...commit, bytes: undefined });
    monitor.rowsWritten({ part: "a", step: "out", rows: 7, startedAt: 0, durationMs: 1 });
    const families = parse(await (await get("/metrics")).text());
    const valueOf = (family: string, suffix = "", labels: object = {}): number | undefined =>
      families
        .get(family)
        ?.samples.find(
          (each) =>
            each.name === family + suffix && expect.objectContaining(labels).asymmetricMatch(each.labels),
        )?.value;
    expect({
      events: valueOf("millrace_events_total", "", { flow: "clicks", part: "a" }),
      malformed: valueOf("millrace_malformed_total"),
      lost: valueOf("millrace_lost_total"),
      duplicates: valueOf("millrace_duplicates_total"),
      reconnects: valueOf("millrace_reconnects_total"),
      late: valueOf("millrace_late_total", "", { step: "per-minute" }),
      windows: valueOf("millrace_open_windows", "", { step: "per-minute" }),
      keys: valueOf("millrace_keys", "", { step: "per-minute" }),
      watermarkAge: valueOf("millrace_watermark_age_seconds"),
      lag: valueOf("millrace_lag_seconds"),
      rows: valueOf("millrace_rows_written_total", "", { step: "out" }),
      batches: valueOf("millrace_batch_duration_seconds", "_count"),
      inBucket: valueOf("millrace_batch_duration_seconds", "_bucket", { le: "0.005" }),
      commits: valueOf("millrace_commit_duration_seconds", "_count"),
      commitSeconds: valueOf("millrace_commit_duration_seconds", "_sum"),
      bytes: valueOf("millrace_commit_bytes_total"),
      ready: valueOf("millrace_ready"),
    }).toEqual({
      events: 11,
      malformed: 1,
      lost: 2,
      duplicates: 1,
      reconnects: 3,
      late: 1,
      windows: 1,
      keys: 5,
      watermarkAge: 2,
      lag: 1.5,
      rows: 7,
      batches: 1,
      inBucket: 1,
      commits: 2,
      commitSeconds: 0.06,
      bytes: 1_234,
      ready: 1,
    });
  });

  test("has series of 1,000 partitions; the others are one", async () => {
    const { monitor, run } = observed();
    run.tasks = Array.from({ length: 1_200 }, (_, i) => taskOf(`p${i}`, { watermark: 8_000 - i }));
    const families = await scrape(monitor, { time: observed().time });
    const other = (name: string): number | undefined =>
      families.get(name)?.samples.find(({ labels }) => labels["part"] === "other")?.value;
    expect(families.get("millrace_events_total")?.samples).toHaveLength(1_001);
    expect(other("millrace_events_total")).toBe(200 * 11);
    expect(other("millrace_watermark_age_seconds")).toBe((10_000 - 8_000 + 1_199) / 1_000);
  });

  test("is what docs/operate.md lists", async () => {
    const page = readFileSync(join(import.meta.dirname, "../../../docs/operate.md"), "utf8");
    const rows = [...page.matchAll(/^\| `(millrace_\w+)` +\| (\w+) +\| (.*?) +\| (.*?) +\|$/gm)];
    const listed = rows.map(([, name, type, labels = "", text = ""]) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort(),
      text,
    }));
    const { monitor, time } = observed();
    const { get } = await served(monitor, { time });
    monitor.batchDone({ part: "a", startedAt: 0, durationMs: 3, events: 10 });
    monitor.commitDone({
      part: "a",
      startedAt: 0,
      durationMs: 1,
      number: 1,
      changes: 1,
      rows: 1,
      partial: false,
      bytes: 1,
    });
    monitor.rowsWritten({ part: "a", step: "out", rows: 7, startedAt: 0, durationMs: 1 });
    const families = parse(await (await get("/metrics")).text());
    const ours = [...families.values()].filter(({ name }) => name.startsWith("millrace_"));
    expect(listed.map(({ name, type, text }) => ({ name, type, help: text }))).toEqual(
      ours.map(({ name, type, help }) => ({ name, type, help })),
    );
    for (const { name, labels } of listed) {
      const [sample] = families.get(name ?? "")?.samples ?? [];
      if (sample !== undefined)
        expect([
          name,
          Object.keys(sample.labels)
            .filter((each) => each !== "le")
            .sort(),
        ]).toEqual([name, labels]);
    }
  });
});
