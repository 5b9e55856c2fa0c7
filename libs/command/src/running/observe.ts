import { UsageError } from "@millrace/cli";
import { hasCode, messageOf } from "@millrace/dataflow";
import type { Logger, RunObserver } from "@millrace/dataflow";
import type { FlowMonitor, FlowMonitorOptions, serveHttp } from "@millrace/observe";
import type { traceRun } from "@millrace/observe/tracing";
import type { HttpSettings, ObserveSettings } from "../options/http-options.ts";
import { importOptional } from "./import-optional.ts";
import { ParentObserver } from "./parent-observer.ts";
import { isWorkerProcess, sendToParent } from "./worker-messages.ts";

/** Packages that are not installed with the commands: they are larger than all others together. */
const DASHBOARD = "@millrace/dashboard";
const TRACING = "@millrace/observe/tracing";

/** What the commands use of the package of the page. */
interface Dashboard {
  readonly FlowMonitor: typeof FlowMonitor;
  readonly serveHttp: typeof serveHttp;
  /** Folder of the built page. */
  readonly PAGE: string;
}

interface Tracing {
  readonly traceRun: typeof traceRun;
}

/** What observers need beside their options. */
export interface ObserveContext {
  readonly logger: Logger;
  /** Asks which other workers share the flow's tasks. */
  readonly others?: FlowMonitorOptions["others"];
}

/**
 * Runs something with the observers that the options name. The server listens before that, and is closed after it. In a
 * process that another one started, that one has the server.
 *
 * @throws UsageError if a package is not installed, or if the server refuses host or token; HttpError if it cannot listen
 */
export async function observed<T>(
  { http, trace }: ObserveSettings,
  context: ObserveContext,
  work: (observers: readonly RunObserver[]) => Promise<T>,
): Promise<T> {
  const tracers = trace ? [(await loadTracing()).traceRun()] : [];
  if (http === undefined) return await work(tracers);
  const shown = (observer: RunObserver): Promise<T> => work([observer, ...tracers]);
  return await (isWorkerProcess() ? sending(shown) : serving(http, context, shown));
}

async function sending<T>(work: (observer: RunObserver) => Promise<T>): Promise<T> {
  const observer = new ParentObserver(sendToParent);
  try {
    return await work(observer);
  } finally {
    await observer.close();
  }
}

async function serving<T>(
  { port, host, token }: HttpSettings,
  { logger, others }: ObserveContext,
  work: (monitor: RunObserver) => Promise<T>,
): Promise<T> {
  const dashboard = await loadDashboard();
  const monitor = new dashboard.FlowMonitor(others === undefined ? {} : { others });
  const server = await dashboard
    .serveHttp(monitor, {
      port,
      host,
      logger,
      page: dashboard.PAGE,
      ...(token === undefined ? {} : { token }),
    })
    .catch((error: unknown) => {
      throw asUsageError(error);
    });
  const { url } = server;
  logger.info({ event: "http-listening", url }, `the page is at ${url}`);
  let reason: string | null = "the run failed";
  try {
    const result = await work(monitor);
    reason = null;
    return result;
  } catch (error) {
    reason = messageOf(error);
    throw error;
  } finally {
    await server.close({ failed: reason !== null, reason });
  }
}

async function loadDashboard(): Promise<Dashboard> {
  const loaded = await importOptional(DASHBOARD, "--http", [DASHBOARD]);
  if (!isDashboard(loaded)) throw new UsageError(`--http: the installed ${DASHBOARD} is of another version`);
  return loaded;
}

async function loadTracing(): Promise<Tracing> {
  const loaded = await importOptional(TRACING, "--trace", ["@millrace/observe", "@opentelemetry/api"]);
  if (!isTracing(loaded))
    throw new UsageError("--trace: the installed @millrace/observe is of another version");
  return loaded;
}

/** The server decides which options it listens with. Its code is compared: the class is loaded with the page only. */
function asUsageError(error: unknown): unknown {
  if (!hasCode(error, "MILLRACE_HTTP_OPTION_INVALID")) return error;
  return new UsageError(`--http-host, MILLRACE_HTTP_TOKEN (or _FILE): ${error.message}`, { cause: error });
}

function isDashboard(loaded: unknown): loaded is Dashboard {
  return (
    typeof loaded === "object" &&
    loaded !== null &&
    "FlowMonitor" in loaded &&
    "serveHttp" in loaded &&
    "PAGE" in loaded
  );
}

function isTracing(loaded: unknown): loaded is Tracing {
  return typeof loaded === "object" && loaded !== null && "traceRun" in loaded;
}
