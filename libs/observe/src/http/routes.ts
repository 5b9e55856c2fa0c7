import Type from "typebox";
import { DeadLetters, Flow, Health, History, Problem, Readiness, Tasks, Windows } from "../api/schemas.ts";
import type { FlowMonitor } from "../monitor/flow-monitor.ts";
import type { Access } from "./access.ts";
import type { HttpApp } from "./http-app.ts";
import type { Metrics } from "./metrics.ts";
import { Refusal } from "./problem.ts";
import type { StreamHub } from "./stream-hub.ts";
import type { UnreadAnswers } from "./unread-answers.ts";

const Name = Type.String({ minLength: 1, maxLength: 1_000 });

const WINDOWS = 50;
const ROWS = 20;
/** Rows in one answer, over all windows. */
const MAX_ROWS = 4_000;

const WindowQuery = Type.Object({
  step: Type.Optional(Name),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: `default: ${WINDOWS}` })),
  rows: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_ROWS,
      description: `default: ${ROWS}; times limit, unless window is given, at most ${MAX_ROWS}`,
    }),
  ),
  window: Type.Optional(Name),
  key: Type.Optional(Name),
});

interface Served {
  readonly monitor: FlowMonitor;
  readonly access: Access;
  readonly hub: StreamHub;
  readonly metrics: Metrics;
  readonly unread: UnreadAnswers;
}

/** Declares all routes but the page's. */
export function addRoutes(app: HttpApp, { monitor, access, hub, metrics, unread }: Served): void {
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
  const reader = { onRequest: [access.checkReader, unread.check] };
  const answers = <T extends Type.TSchema>(schema: T) => ({ 200: schema, 401: Problem, 503: Problem });
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
    ({ query }) => {
      const { limit = WINDOWS, rows = ROWS } = query;
      if ((query.window === undefined ? limit : 1) * rows > MAX_ROWS) {
        throw new Refusal(
          400,
          `query: rows times limit: must be <= ${MAX_ROWS}; give a smaller limit, or one window`,
        );
      }
      return monitor.windows({ ...query, limit, rows });
    },
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
      onRequest: access.checkReader,
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
