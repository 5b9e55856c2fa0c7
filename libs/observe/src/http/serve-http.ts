import cookie from "@fastify/cookie";
import helmet from "@fastify/helmet";
import files from "@fastify/static";
import swagger from "@fastify/swagger";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { SYSTEM_TIME, messageOf } from "@millrace/dataflow";
import type { Logger, TimeProvider } from "@millrace/dataflow";
import Fastify from "fastify";
import type { StreamEvents } from "../api/schemas.ts";
import { HttpError } from "../errors.ts";
import type { FlowMonitor } from "../monitor/flow-monitor.ts";
import { SAMPLE_EVERY_MS } from "../monitor/history-book.ts";
import { Access, isLoopback } from "./access.ts";
import type { HttpApp } from "./http-app.ts";
import { Metrics } from "./metrics.ts";
import { Refusal, answerClientError, answerError, answerNotFound, sendProblem } from "./problem.ts";
import { addRoutes } from "./routes.ts";
import { StreamHub } from "./stream-hub.ts";

const WINDOWS_EVERY_MS = 250;
const MAX_URL_LENGTH = 8_000;
const MAX_CONNECTIONS = 2_000;

/** How long (ms) a request may take to arrive. */
const REQUEST_TIMEOUT_MS = 10_000;

/** What bounds a request. Times are ms, sizes bytes. */
function limitsOf(requestTimeoutMs: number) {
  return {
    bodyLimit: 4_096,
    /** A connection on which nothing moves. */
    connectionTimeout: 60_000,
    keepAliveTimeout: 5_000,
    requestTimeout: requestTimeoutMs,
    http: {
      maxHeaderSize: 16_384,
      headersTimeout: requestTimeoutMs / 2,
      connectionsCheckingInterval: requestTimeoutMs / 10,
    },
  };
}

/** Options of {@link serveHttp}. */
export interface HttpOptions {
  /** 0: a free one. */
  readonly port: number;
  /** Any host but this machine's own needs a `token`. @default "127.0.0.1" */
  readonly host?: string;
  /** What readers have to give. @default none: every program that reaches the server may read */
  readonly token?: string;
  /** Folder of a page to serve: `PAGE` of `@millrace/dashboard`. Its files need no token. @default none */
  readonly page?: string;
  /** How long (ms) a request may take to arrive whole; its headers half of that. @default 10000 */
  readonly requestTimeoutMs?: number;
  readonly logger: Logger;
  /** @default the system's clock and timers */
  readonly time?: TimeProvider;
}

/** A server that listens. */
export interface HttpServer {
  /** With the port, and a slash at the end. */
  readonly url: string;
  /**
   * Ends all streams and connections at once. Idempotent.
   *
   * @param outcome how the run ended, for the clients of the stream. @default it did not fail
   */
  close(outcome?: StreamEvents["end"]): Promise<void>;
}

/**
 * Serves what a monitor keeps: health, metrics, the JSON API with its stream of events, and a page.
 *
 * @throws HttpError if the port is taken, or if a host that others can reach has no token
 */
export async function serveHttp(monitor: FlowMonitor, options: HttpOptions): Promise<HttpServer> {
  const { port, host = "127.0.0.1", token, page, logger, time = SYSTEM_TIME } = options;
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  const loopback = isLoopback(host);
  if (!loopback && token === undefined) {
    throw new HttpError(`HTTP on ${host} can be reached by others: give a token, or use 127.0.0.1`);
  }
  const access = new Access({ token, loopback, time });
  const hub = new StreamHub(monitor, time);
  const metrics = new Metrics(monitor, hub, () => time.now());
  const app = await createApp(logger, requestTimeoutMs);
  app.addHook("onRequest", access.checkHost);
  addRoutes(app, { monitor, access, hub, metrics });
  if (page !== undefined) await addPage(app, page);
  const url = await listen(app, host, port);
  const unfollow = [
    monitor.follow(metrics),
    monitor.follow({
      started: () => {
        hub.restart();
      },
    }),
  ];
  const failed = (error: unknown): void => {
    logger.warn(
      { event: "http-failed" },
      `the events for HTTP clients could not be made: ${messageOf(error)}`,
    );
  };
  const stop = [
    every(time, SAMPLE_EVERY_MS, failed, () => {
      hub.sendTasks(monitor.sample());
    }),
    every(time, WINDOWS_EVERY_MS, failed, () => {
      hub.sendWindows();
    }),
  ];
  let closing: Promise<void> | undefined;
  return {
    url,
    close: (outcome = { failed: false, reason: null }) => {
      closing ??= (async () => {
        for (const each of [...stop, ...unfollow]) each();
        hub.end(outcome);
        // The last events leave before the connections are ended.
        await time.yield();
        await app.close();
      })();
      return closing;
    },
  };
}

async function createApp(logger: Logger, requestTimeoutMs: number): Promise<HttpApp> {
  const app = Fastify({
    ...limitsOf(requestTimeoutMs),
    logger: false,
    forceCloseConnections: true,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => {
      sendProblem(reply, error.statusCode ?? 400, error.message);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.maxConnections = MAX_CONNECTIONS;
  // The answers are made by this code alone, so that they need not be checked and cut to their schemas.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(answerError(logger));
  app.setNotFoundHandler(answerNotFound);
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.url.length <= MAX_URL_LENGTH) done();
    else done(new Refusal(414, `The URL is longer than ${MAX_URL_LENGTH} characters.`));
  });
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (!reply.hasHeader("cache-control")) void reply.header("cache-control", "no-store");
    done();
  });
  await app.register(helmet, {
    // TLS is up to a proxy, which knows whether to require it.
    strictTransportSecurity: false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        fontSrc: ["'self'"],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
  });
  await app.register(cookie);
  await app.register(swagger, {
    openapi: { openapi: "3.1.0", info: { title: "Millrace", version: "1" } },
  });
  return app;
}

/** The page's files: each has a route of its own, so that no path reaches another file. */
async function addPage(app: HttpApp, root: string): Promise<void> {
  await app.register(files, {
    root,
    wildcard: false,
    cacheControl: false,
    setHeaders: (response, path) => {
      const named = /[/\\]assets[/\\]/.test(path);
      // Names of assets change with their content.
      response.setHeader("cache-control", named ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
}

async function listen(app: HttpApp, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const taken =
      typeof error === "object" && error !== null && "code" in error && error.code === "EADDRINUSE";
    const reason = taken ? "the port is in use; give another one, or 0 for a free one" : messageOf(error);
    throw new HttpError(`HTTP cannot listen on ${host}:${port}: ${reason}`, { cause: error });
  }
  const address = app.server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${bound}/`;
}

/** Calls back again and again. An error of the callback ends neither the calls nor the run; the first one is reported. */
function every(
  time: TimeProvider,
  everyMs: number,
  failed: (error: unknown) => void,
  callback: () => void,
): () => void {
  let reported = false;
  let cancel: () => void;
  const next = (): void => {
    cancel = time.wakeAfter(everyMs, next);
    try {
      callback();
    } catch (error) {
      if (!reported) failed(error);
      reported = true;
    }
  };
  cancel = time.wakeAfter(everyMs, next);
  return () => {
    cancel();
  };
}
