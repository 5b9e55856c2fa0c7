import { afterEach, describe, expect, test } from "@jest/globals";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SILENT_LOGGER } from "@millrace/dataflow";
import Schema from "typebox/schema";
import * as schemas from "../src/api/schemas.ts";
import { HttpError, serveHttp } from "../src/index.ts";
import { resultOf, taskOf } from "./fake-run.ts";
import { closeAll, observed, served } from "./support.ts";

afterEach(closeAll);

const PAGE = join(import.meta.dirname, "page");
const TOKEN = "a-token-of-this-test";

describe("routes", () => {
  test.each([
    ["/healthz", schemas.Health],
    ["/readyz", schemas.Readiness],
    ["/session", schemas.Session],
    ["/api/flow", schemas.Flow],
    ["/api/tasks", schemas.Tasks],
    ["/api/windows", schemas.Windows],
    ["/api/dead-letters", schemas.DeadLetters],
    ["/api/history", schemas.History],
  ])("%s answers by its schema", async (path, schema) => {
    const { monitor, run, emit } = observed();
    emit(
      resultOf("x", { n: 1 }),
      resultOf("y", "text", { complete: { atLeast: 1, atMost: 2 }, overflow: 3 }),
    );
    const window = { id: 1, open: 60_000, close: 120_000, mergedIds: [] };
    run.open = [{ part: "a", step: "per-minute", window, key: undefined, keys: 3 }];
    run.tasks = [taskOf("a"), taskOf("b", { lastCommit: undefined, watermark: undefined })];
    monitor.deadLetter({ step: "s", part: "a", reason: { code: "c", message: "m" }, payload: "p" });
    monitor.sample();
    const { get } = await served(monitor);
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect([...Schema.Errors(schema, await response.json())[1]]).toEqual([]);
  });

  test("/api/windows takes a query, and explains what is wrong with it", async () => {
    const { monitor, emit } = observed();
    emit(resultOf("x", 1), resultOf("y", 2), resultOf("y", 3, { open: 60_000 }));
    const { get } = await served(monitor);
    const windows: unknown = await (await get("/api/windows?rows=1&window=per-minute@0-60000")).json();
    expect(windows).toMatchObject({ windows: [{ top: [{ key: "y", value: 2 }], rest: { rows: 1 } }] });
    expect(await (await get("/api/windows?key=x")).json()).toMatchObject({
      windows: [{ top: [{ key: "x" }] }],
    });
    for (const [query, detail] of [
      ["limit=0", "query: limit: must be >= 1"],
      ["limit=201", "query: limit: must be <= 200"],
      ["rows=many", "query: rows: must be integer"],
      [`key=${"k".repeat(1_001)}`, "query: key: must NOT have more than 1000 characters"],
    ]) {
      const response = await get(`/api/windows?${query}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({
        type: "about:blank",
        title: "Bad Request",
        status: 400,
        detail,
      });
    }
  });

  test("/readyz answers 503 with the reason", async () => {
    const { monitor, run } = observed();
    run.tasks = [taskOf("a", { phase: "starting" })];
    const { get } = await served(monitor);
    const response = await get("/readyz");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: "not-ready", reason: "partition a: is starting" });
  });

  test("/metrics has which partitions are ready", async () => {
    const { monitor, run } = observed();
    run.tasks = [taskOf("a"), taskOf("b", { phase: "starting" })];
    const { get } = await served(monitor);
    const text = await (await get("/metrics")).text();
    expect(text.match(/^millrace_(?:part_)?ready\{.*$/gm)).toEqual([
      'millrace_ready{flow="clicks"} 0',
      'millrace_part_ready{flow="clicks",part="a"} 1',
      'millrace_part_ready{flow="clicks",part="b"} 0',
    ]);
  });

  test("/api/openapi.json describes all of them", async () => {
    const { monitor } = observed();
    const { get } = await served(monitor);
    const document: unknown = await (await get("/api/openapi.json")).json();
    expect(document).toMatchObject({
      openapi: "3.1.0",
      paths: { "/api/windows": { get: { parameters: expect.any(Array) } } },
    });
    expect(Object.keys((document as { readonly paths: object }).paths).sort()).toEqual(
      ["/api/dead-letters", "/api/flow", "/api/history", "/api/stream", "/api/tasks", "/api/windows"].concat([
        "/healthz",
        "/metrics",
        "/readyz",
        "/session",
      ]),
    );
  });

  test("others are a problem", async () => {
    const { monitor } = observed();
    const { get } = await served(monitor);
    const response = await get("/api/nothing?a=b");
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect([...Schema.Errors(schemas.Problem, await response.json())[1]]).toEqual([]);
    expect((await get("/api/flow", { method: "DELETE" })).status).toBe(404);
  });

  test("an error of the run's figures is logged, and answered without its message", async () => {
    const { monitor, run } = observed();
    const lines: string[] = [];
    const warn = (_: object, message: string): void => {
      lines.push(message);
    };
    const { get } = await served(monitor, { logger: { ...SILENT_LOGGER, warn } });
    run.stats = () => {
      throw new Error("a secret");
    };
    const response = await get("/api/tasks");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(lines).toEqual(["an HTTP request failed: a secret"]);
  });
});

describe("the page", () => {
  test("is served without a token, under a strict policy", async () => {
    const { monitor } = observed();
    const { get } = await served(monitor, { page: PAGE, token: TOKEN });
    const page = await get("/");
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect(page.headers.get("content-security-policy")).toBe(
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';font-src 'self';" +
        "manifest-src 'self';base-uri 'none';form-action 'self';frame-ancestors 'none'",
    );
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    const asset = await get("/assets/app-1.css");
    expect(asset.status).toBe(200);
    expect(asset.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  });

  test.each([
    "/../package.json",
    "/..%2fpackage.json",
    "/%2e%2e/package.json",
    "/%2e%2e%2fhttp.test.ts",
    "/assets/..%2f..%2fhttp.test.ts",
    "/assets/..%5c..%5chttp.test.ts",
    "/assets/%252e%252e/index.html",
    "//etc/passwd",
    "/%00",
    "/%",
    "/assets/",
  ])("nothing beside it can be read: %s", async (path) => {
    const { monitor } = observed();
    const { url } = await served(monitor, { page: PAGE });
    const { status, type } = await rawGet(url, path);
    expect([400, 403, 404]).toContain(status);
    expect(type).toMatch(/^application\/problem\+json/);
  });
});

describe("the token", () => {
  const PROTECTED = ["/api/flow", "/api/tasks", "/api/windows", "/api/dead-letters", "/api/history"].concat([
    "/api/stream",
    "/api/openapi.json",
    "/metrics",
  ]);

  test("is needed for all data, and not for health", async () => {
    const { monitor } = observed();
    const { get } = await served(monitor, { token: TOKEN });
    for (const path of PROTECTED) {
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 401]);
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="millrace"');
    }
    for (const path of ["/healthz", "/readyz", "/session"]) expect((await get(path)).status).toBe(200);
  });

  test("is taken as a bearer token", async () => {
    const { monitor } = observed();
    const { get } = await served(monitor, { token: TOKEN });
    const statusOf = async (authorization: string): Promise<number> =>
      (await get("/api/flow", { headers: { authorization } })).status;
    expect(await statusOf(`Bearer ${TOKEN}`)).toBe(200);
    expect(await statusOf(`bearer ${TOKEN}`)).toBe(200);
    for (const wrong of [TOKEN, `Bearer ${TOKEN}x`, "Bearer", "Bearer ", `Basic ${TOKEN}`]) {
      expect([wrong, await statusOf(wrong)]).toEqual([wrong, 401]);
    }
  });

  test("begins a session, whose cookie is not the token", async () => {
    const { monitor, time } = observed();
    const { get } = await served(monitor, { token: TOKEN, time });
    expect(await (await get("/session")).json()).toEqual({ needed: true, given: false });
    const answer = await get("/session", begin(TOKEN));
    expect(answer.status).toBe(200);
    const set = answer.headers.get("set-cookie") ?? "";
    expect(set).toMatch(
      /^millrace_session_\d+=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const [cookie = ""] = set.split(";");
    expect(set).not.toContain(TOKEN);
    expect((await get("/api/flow", { headers: { cookie } })).status).toBe(200);
    expect(await (await get("/session", { headers: { cookie } })).json()).toEqual({
      needed: true,
      given: true,
    });
    expect((await get("/api/flow", { headers: { cookie: `${cookie}x` } })).status).toBe(401);
    time.set(time.now() + 12 * 3_600_000);
    expect((await get("/api/flow", { headers: { cookie } })).status).toBe(401);
  });

  test("is not taken from a page of another site", async () => {
    const { monitor } = observed();
    const { get, url } = await served(monitor, { token: TOKEN });
    const { host } = new URL(url);
    const statusOf = async (headers: Record<string, string>): Promise<number> =>
      (await get("/session", begin(TOKEN, headers))).status;
    expect(await statusOf({ origin: `http://${host}` })).toBe(200);
    expect(await statusOf({ origin: "https://millrace.test", "x-forwarded-host": "millrace.test" })).toBe(
      200,
    );
    expect(await statusOf({ origin: "https://evil.test" })).toBe(403);
    expect(await statusOf({ origin: "null" })).toBe(403);
  });

  test("may be wrong ten times in a minute", async () => {
    const { monitor, time } = observed();
    const { get } = await served(monitor, { token: TOKEN, time });
    const statusOf = async (token: string): Promise<number> => (await get("/session", begin(token))).status;
    for (let i = 0; i < 10; i += 1) expect(await statusOf(`wrong-${i}`)).toBe(401);
    const refused = await get("/session", begin(TOKEN));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    time.set(time.now() + 60_000);
    expect(await statusOf(TOKEN)).toBe(200);
  });

  test("may be wrong ten times in a minute as a bearer token, too", async () => {
    const { monitor, time } = observed();
    const { get } = await served(monitor, { token: TOKEN, time });
    const statusOf = async (path: string, token: string): Promise<number> =>
      (await get(path, { headers: { authorization: `Bearer ${token}` } })).status;
    for (let i = 0; i < 10; i += 1) expect(await statusOf("/metrics", `wrong-${i}`)).toBe(401);
    for (const path of ["/metrics", "/api/stream", "/session"]) expect(await statusOf(path, TOKEN)).toBe(429);
    expect((await get("/healthz")).status).toBe(200);
  });

  test("is not needed on loopback if there is none", async () => {
    const { monitor } = observed();
    const { get } = await served(monitor);
    expect(await (await get("/session")).json()).toEqual({ needed: false, given: true });
  });

  test("is needed on any other host", async () => {
    const { monitor } = observed();
    const refused = serveHttp(monitor, { port: 0, host: "0.0.0.0", logger: SILENT_LOGGER });
    await expect(refused).rejects.toThrow(/give a token/);
    const { url } = await served(monitor, { host: "0.0.0.0", token: TOKEN });
    const local = `http://127.0.0.1:${new URL(url).port}/`;
    expect((await rawGet(local, "/healthz", { host: "millrace.test" })).status).toBe(200);
  });

  function begin(token: string, headers: Record<string, string> = {}): RequestInit {
    return {
      method: "POST",
      body: JSON.stringify({ token }),
      headers: { "content-type": "application/json", ...headers },
    };
  }
});

describe("abuse", () => {
  test("on loopback a foreign Host is refused", async () => {
    const { monitor } = observed();
    const { url } = await served(monitor, { page: PAGE });
    for (const host of ["localhost", "localhost:1", "127.0.0.1:80", "[::1]:80", "LOCALHOST"]) {
      expect([host, (await rawGet(url, "/api/flow", { host })).status]).toEqual([host, 200]);
    }
    for (const host of ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test:80", "10.0.0.1"]) {
      for (const path of ["/api/flow", "/", "/healthz"]) {
        expect([host, (await rawGet(url, path, { host })).status]).toEqual([host, 421]);
      }
    }
  });

  test("headers, URLs and bodies are bounded", async () => {
    const { monitor } = observed();
    const { url, get } = await served(monitor, { token: TOKEN });
    expect((await rawGet(url, "/healthz", { "x-long": "x".repeat(20_000) })).status).toBe(431);
    expect((await rawGet(url, `/healthz?${"x".repeat(9_000)}`)).status).toBe(414);
    const post = async (body: string, type = "application/json"): Promise<number> =>
      (await get("/session", { method: "POST", body, headers: { "content-type": type } })).status;
    expect(await post(JSON.stringify({ token: "x".repeat(10_000) }))).toBe(413);
    expect(await post(JSON.stringify({ token: "x".repeat(1_001) }))).toBe(400);
    expect(await post("{")).toBe(400);
    expect(await post("{}")).toBe(400);
    expect(await post('{"__proto__":{"token":"x"}}')).toBe(400);
    expect(await post("<token/>", "application/xml")).toBe(415);
    expect((await get("/healthz")).status).toBe(200);
  });

  test("what is not HTTP is answered and ended", async () => {
    const { monitor } = observed();
    const { url } = await served(monitor);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("this is not HTTP\r\n\r\n");
    const answer = (await socket.toArray()).join("");
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json/);
  });

  test("requests that arrive too slowly are ended, and others are answered", async () => {
    const { monitor } = observed();
    const { url, get } = await served(monitor, { requestTimeoutMs: 200 });
    const port = Number(new URL(url).port);
    const slow = [
      "GET /healthz HTTP/1.1\r\nX: y",
      "POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    ];
    const answers = await Promise.all(
      slow.flatMap((start) =>
        Array.from({ length: 20 }, async () => {
          const socket = connect(port, "127.0.0.1");
          socket.write(start);
          return (await socket.toArray()).join("").split("\r\n")[0];
        }),
      ),
    );
    expect(new Set(answers)).toEqual(new Set(["HTTP/1.1 408 Request Timeout"]));
    expect((await get("/healthz")).status).toBe(200);
  });

  test("connections that come and go leave nothing", async () => {
    const { monitor } = observed();
    const { url, get } = await served(monitor);
    const port = Number(new URL(url).port);
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: 10 }, (_, i) => {
          const socket = connect(port, "127.0.0.1");
          return new Promise<void>((resolve) => {
            socket.on("connect", () => {
              if (i % 2 === 0)
                socket.write("GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n", () =>
                  socket.resetAndDestroy(),
                );
              else socket.destroy();
            });
            socket.on("close", () => {
              resolve();
            });
            socket.on("error", () => undefined);
          });
        }),
      );
    }
    expect(await (await get("/metrics")).text()).toMatch(/^millrace_stream_clients 0$/m);
  });
});

test("a port in use is an error that says so", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as AddressInfo;
  const { monitor } = observed();
  const listening = serveHttp(monitor, { port, logger: SILENT_LOGGER });
  await expect(listening).rejects.toThrow(HttpError);
  await expect(listening).rejects.toThrow(`HTTP cannot listen on 127.0.0.1:${port}: the port is in use`);
  other.close();
});

/** Unlike fetch it leaves the path and the Host as they are. */
function rawGet(
  url: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number | undefined; readonly type: string | undefined }> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, type: response.headers["content-type"] });
    })
      .on("error", reject)
      .end();
  });
}
