import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dataflow, FileStore, IterableSource, SILENT_LOGGER, run } from "@millrace/dataflow";
import type { Source } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";
import { FlowMonitor, serveHttp } from "@millrace/observe";
import { systemTime, tumbling } from "@millrace/windowing";

/** The names of served metrics, each with the labels that its series have. */
export type ServedMetrics = ReadonlyMap<string, ReadonlySet<string>>;

/** Runs a flow with windows and a store, and reads `/metrics`. */
export async function servedMetrics(): Promise<ServedMetrics> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-grafana-"));
  const monitor = new FlowMonitor();
  const server = await serveHttp(monitor, { port: 0, logger: SILENT_LOGGER });
  try {
    const flow = new Dataflow("clicks");
    flow
      .input("in", likeStream(new IterableSource(["a", "b", "a"])))
      .keyBy("key", (key) => key)
      .window("per-minute", tumbling(60_000), systemTime())
      .count("n")
      .output("out", new TestingSink());
    await run(flow, { store: new FileStore(folder), observers: [monitor], logger: SILENT_LOGGER });
    return readMetrics(await (await fetch(new URL("/metrics", server.url))).text());
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
}

/** A source with the figures of one that reads a stream. */
function likeStream<T>(source: Source<T>): Source<T> {
  return {
    partitioning: source.partitioning,
    listParts: () => source.listParts(),
    buildPart: async (part, resume, context) => {
      const inner = await source.buildPart(part, resume, context);
      let read = 0;
      return {
        nextBatch: async () => {
          const batch = await inner.nextBatch();
          if (batch.kind === "end") return batch;
          read += batch.events.length;
          return { ...batch, times: batch.events.map(() => context.time.now()) };
        },
        snapshot: () => inner.snapshot(),
        stats: () => ({
          read,
          duplicates: 0,
          lost: 0,
          queued: 0,
          connected: true,
          reconnects: 0,
          entriesBehind: 0,
        }),
        close: () => inner.close(),
      };
    },
  };
}

/** Reads the text format: the metrics that it declares, and the labels of their series. */
function readMetrics(text: string): ServedMetrics {
  const metrics = new Map<string, Set<string>>();
  const declare = (name: string): Set<string> => {
    const labels = metrics.get(name) ?? new Set();
    metrics.set(name, labels);
    return labels;
  };
  for (const line of text.split("\n")) {
    const [, declared, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (declared !== undefined && type !== "histogram") declare(declared);
    const [, name, list = ""] = /^([a-z_]+)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const labels = declare(name);
    for (const [, label = ""] of list.matchAll(/([a-z_]+)="(?:[^"\\]|\\.)*"/g)) labels.add(label);
  }
  return metrics;
}
