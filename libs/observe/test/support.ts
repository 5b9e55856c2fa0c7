import { SILENT_LOGGER } from "@millrace/dataflow";
import type { PartResult } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { FlowMonitor, serveHttp } from "../src/index.ts";
import type { HttpOptions, HttpServer } from "../src/index.ts";
import { FakeRun } from "./fake-run.ts";

/** A monitor of a run that has begun. */
export function observed(startAt = 10_000): {
  readonly monitor: FlowMonitor;
  readonly run: FakeRun;
  readonly time: VirtualTime;
  readonly emit: (...results: readonly PartResult<unknown>[]) => void;
} {
  const time = new VirtualTime(startAt);
  const monitor = new FlowMonitor({ time });
  const run = new FakeRun();
  monitor.started(run);
  const emit = (...results: readonly PartResult<unknown>[]): void => {
    monitor.resultsEmitted({ part: "a", step: "per-minute", at: time.now(), results });
  };
  return { monitor, run, time, emit };
}

const servers: HttpServer[] = [];

/** Serves until {@link closeAll}. */
export async function served(
  monitor: FlowMonitor,
  options: Partial<HttpOptions> = {},
): Promise<HttpServer & { readonly get: (path: string, init?: RequestInit) => Promise<Response> }> {
  const server = await serveHttp(monitor, { port: 0, logger: SILENT_LOGGER, ...options });
  servers.push(server);
  return { ...server, get: (path, init) => fetch(new URL(path, server.url), init) };
}

export async function closeAll(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.close()));
}
