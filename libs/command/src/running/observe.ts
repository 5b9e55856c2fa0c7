import { UsageError } from "@millrace/cli";
import { messageOf } from "@millrace/dataflow";
import type { Logger, RunObserver } from "@millrace/dataflow";
import type { FlowMonitor, serveHttp } from "@millrace/observe";
import type { traceRun } from "@millrace/observe/tracing";
import type { HttpSettings, ObserveSettings } from "../options/http-options.ts";

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

/**
 * Runs something with the observers that the options name. The server listens before that, and is closed after it.
 *
 * @throws UsageError if a package is not installed; HttpError if the server cannot listen
 */
export async function observed<T>(
  { http, trace }: ObserveSettings,
  logger: Logger,
  work: (observers: readonly RunObserver[]) => Promise<T>,
): Promise<T> {
  const tracers = trace ? [(await loadTracing()).traceRun()] : [];
  if (http === undefined) return await work(tracers);
  return await serving(http, logger, (monitor) => work([monitor, ...tracers]));
}

async function serving<T>(
  { port, host, token }: HttpSettings,
  logger: Logger,
  work: (monitor: RunObserver) => Promise<T>,
): Promise<T> {
  const dashboard = await loadDashboard();
  const monitor = new dashboard.FlowMonitor();
  const server = await dashboard.serveHttp(monitor, {
    port,
    host,
    logger,
    page: dashboard.PAGE,
    ...(token === undefined ? {} : { token }),
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
  const loaded = await load(DASHBOARD, "--http", DASHBOARD);
  if (!isDashboard(loaded)) throw new UsageError(`--http: the installed ${DASHBOARD} is of another version`);
  return loaded;
}

async function loadTracing(): Promise<Tracing> {
  const loaded = await load(TRACING, "--trace", "@millrace/observe @opentelemetry/api");
  if (!isTracing(loaded))
    throw new UsageError("--trace: the installed @millrace/observe is of another version");
  return loaded;
}

/** @throws UsageError if it is not installed */
async function load(name: string, flag: string, packages: string): Promise<unknown> {
  try {
    const loaded: unknown = await import(name);
    return loaded;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new UsageError(`${flag} needs a package that is not installed; add it: npm install ${packages}`, {
      cause: error,
    });
  }
}

function isNotFound(error: unknown): boolean {
  return (
    typeof error === "object" && error !== null && "code" in error && error.code === "ERR_MODULE_NOT_FOUND"
  );
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
