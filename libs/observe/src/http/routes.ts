import Type from "typebox";
import { DeadLetters, Flow, Health, History, Problem, Readiness, Tasks, Windows } from "../api/schemas.ts";
import type { FlowMonitor } from "../monitor/flow-monitor.ts";
import type { Access } from "./access.ts";
import type { HttpApp } from "./http-app.ts";
import type { Metrics } from "./metrics.ts";
import type { StreamHub } from "./stream-hub.ts";

const Name = Type.String({ minLength: 1, maxLength: 1_000 });

const WindowQuery = Type.Object({
  step: Type.Optional(Name),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: "default: 50" })),
  rows: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000, description: "default: 20" })),
  window: Type.Optional(Name),
  key: Type.Optional(Name),
});

interface Served {
  readonly monitor: FlowMonitor;
  readonly access: Access;
  readonly hub: StreamHub;
  readonly metrics: Metrics;
}

/** Declares all routes but the page's. */
export function addRoutes(app: HttpApp, { monitor, access, hub, metrics }: Served): void {
  app.get(
    "/healthz",
    { schema: { summary: "The event loop answers", response: { 200: Health } } },
    () => ({ status: "ok" }) as const,
  );
  app.get(
    "/readyz",
    { schema: { summary: "Whether all tasks work", response: { 200: Readiness, 503: Readiness } } },
    (_, reply) => {
      const readiness = monitor.readiness();
      void reply.code(readiness.status === "ready" ? 200 : 503);
      return readiness;
    },
  );
  access.addRoutes(app);
  const reader = { onRequest: access.checkReader };
  const answers = <T extends Type.TSchema>(schema: T): { readonly 200: T; readonly 401: typeof Problem } => ({
    200: schema,
    401: Problem,
  });
  app.get("/api/flow", { ...reader, schema: { summary: "What runs", response: answers(Flow) } }, () =>
    monitor.flow(),
  );
  app.get(
    "/api/tasks",
    { ...reader, schema: { summary: "Figures of all tasks", response: answers(Tasks) } },
    async () => {
      await monitor.lookAtOthers();
      return monitor.tasks();
    },
  );
  app.get(
    "/api/windows",
    {
      ...reader,
      schema: {
        summary: "The newest windows with their rows",
        querystring: WindowQuery,
        response: { ...answers(Windows), 400: Problem },
      },
    },
    ({ query }) => monitor.windows(query),
  );
  app.get(
    "/api/dead-letters",
    { ...reader, schema: { summary: "The newest dead letters", response: answers(DeadLetters) } },
    () => monitor.deadLetters(),
  );
  app.get(
    "/api/history",
    { ...reader, schema: { summary: "The last ten minutes", response: answers(History) } },
    () => monitor.history(),
  );
  app.get(
    "/api/stream",
    {
      ...reader,
      exposeHeadRoute: false,
      schema: {
        summary: "Server-Sent Events",
        produces: ["text/event-stream"],
        response: { 401: Problem, 503: Problem },
      },
    },
    hub.open,
  );
  app.get(
    "/metrics",
    { ...reader, schema: { summary: "For Prometheus", produces: ["text/plain"] } },
    async (_, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.contentType).send(text);
    },
  );
  app.get("/api/openapi.json", { ...reader, schema: { hide: true } }, () => app.swagger());
}
