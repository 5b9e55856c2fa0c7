// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export { FlowMonitor } from "./monitor/flow-monitor.ts";
export { HttpError } from "./errors.ts";
export { serveHttp } from "./http/serve-http.ts";

export type * from "./api/index.ts";
export type { FlowMonitorOptions, ShownWindows, WindowChanges, WindowQuery } from "./monitor/flow-monitor.ts";
export type { HttpOptions, HttpServer } from "./http/serve-http.ts";
