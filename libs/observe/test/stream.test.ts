import { afterEach, describe, expect, test } from "@jest/globals";
import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { FakeRun, resultOf, taskOf } from "./fake-run.ts";
import { closeAll, observed, served } from "./support.ts";

const clients: { readonly destroy: () => unknown }[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await closeAll();
});

interface StreamEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A client that reads events. */
class Reader {
  readonly events: StreamEvent[] = [];
  comments = 0;
  readonly closed: Promise<void>;
  #text = "";
  #waiting: (() => void)[] = [];

  constructor(response: IncomingMessage) {
    response.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
      for (let end = this.#text.indexOf("\n\n"); end >= 0; end = this.#text.indexOf("\n\n")) {
        this.#add(this.#text.slice(0, end));
        this.#text = this.#text.slice(end + 2);
      }
    });
    this.closed = new Promise((resolve) => {
      response.on("close", resolve);
      response.on("error", () => undefined);
    });
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<Reader> {
    return await new Promise((resolve, reject) => {
      const request = get(new URL("/api/stream", url), { headers, agent: false }, (response) => {
        expect(response.statusCode).toBe(200);
        expect(response.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
        expect(response.headers["content-security-policy"]).toMatch(/^default-src 'none'/);
        resolve(new Reader(response));
      }).on("error", reject);
      clients.push(request);
    });
  }

  /** The events once there are that many, without those before. */
  async next(count = 1): Promise<readonly StreamEvent[]> {
    while (this.events.length < count) await this.#change();
    return this.events.splice(0, count);
  }

  async comment(): Promise<void> {
    while (this.comments === 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #add(block: string): void {
    const fields = new Map(
      block.split("\n").map((line) => [line.split(":")[0], line.slice(line.indexOf(":") + 2)]),
    );
    if (block.startsWith(":")) this.comments += 1;
    else {
      const data = JSON.parse(fields.get("data") ?? "null") as Record<string, unknown>;
      this.events.push({ id: fields.get("id") ?? "", event: fields.get("event") ?? "", data });
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** Opens the stream, and reads nothing. */
async function openDeaf(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  clients.push(socket);
  socket.on("error", () => undefined);
  socket.pause();
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write("GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return socket;
}

const names = (events: readonly StreamEvent[]): readonly string[] => events.map(({ event }) => event);

describe("the stream", () => {
  test("begins with a snapshot; then tasks each second, and windows that changed", async () => {
    const { monitor, time, emit } = observed();
    emit(resultOf("x", 1), resultOf("y", 1, { open: 60_000 }));
    const { url } = await served(monitor, { time });
    const reader = await Reader.open(url);
    const [snapshot] = await reader.next();
    expect(snapshot?.event).toBe("snapshot");
    expect(snapshot?.data).toEqual({
      flow: monitor.flow(),
      tasks: monitor.tasks(),
      windows: monitor.windows(),
      history: { everyMs: 1_000, samples: [] },
      deadLetters: { total: 0, reasons: {}, letters: [] },
    });
    emit(resultOf("z", 2));
    monitor.deadLetter({ step: "s", part: "a", reason: { code: "c", message: "m" }, payload: "p" });
    time.set(10_250);
    time.set(10_500);
    time.set(11_000);
    const events = await reader.next(3);
    expect(names(events)).toEqual(["windows", "tasks", "dead-letters"]);
    expect(events[0]?.data).toMatchObject({ windows: [{ open: 0, totals: { value: 3 } }], removed: [] });
    expect(events[1]?.data).toMatchObject({ sample: { at: 11_000 }, account: { received: 11 } });
    expect(events[2]?.data).toMatchObject({ total: 1 });
    const ids = [snapshot, ...events].map((event) => Number(event?.id));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(4);
  });

  test("continues after Last-Event-ID, also of events for which there was no client", async () => {
    const { monitor, time, emit } = observed();
    const { url } = await served(monitor, { time });
    const first = await Reader.open(url);
    time.set(11_000);
    const [, tasks] = await first.next(2);
    clients[0]?.destroy();
    await first.closed;
    emit(resultOf("x", 1));
    await time.yield();
    time.set(11_250);
    time.set(12_000);
    const again = await Reader.open(url, { "last-event-id": tasks?.id ?? "" });
    expect(names(await again.next(2))).toEqual(["windows", "tasks"]);
    for (const unknown of ["0", "-1", "x", "99999999999999999999", String(Number(tasks?.id) - 5)]) {
      const other = await Reader.open(url, { "last-event-id": unknown });
      expect(names(await other.next())).toEqual(["snapshot"]);
    }
  });

  test("begins anew after it was not made for a while", async () => {
    const { monitor, time } = observed();
    const { url } = await served(monitor, { time });
    const first = await Reader.open(url);
    const [snapshot] = await first.next();
    clients[0]?.destroy();
    await first.closed;
    await time.yield();
    for (let second = 11; second < 30; second += 1) time.set(second * 1_000);
    const again = await Reader.open(url, { "last-event-id": snapshot?.id ?? "" });
    expect(names(await again.next())).toEqual(["snapshot"]);
  });

  test("sends a comment every 15 s", async () => {
    const { monitor, time } = observed();
    const { url } = await served(monitor, { time });
    const reader = await Reader.open(url);
    await reader.next();
    time.set(25_000);
    await reader.comment();
    expect(reader.comments).toBe(1);
  });

  test("has a snapshot of the next run", async () => {
    const { monitor, time } = observed();
    const { url } = await served(monitor, { time });
    const reader = await Reader.open(url);
    await reader.next();
    const run = new FakeRun();
    run.tasks = [taskOf("other")];
    monitor.started(run);
    expect(await reader.next()).toMatchObject([
      { event: "snapshot", data: { tasks: { tasks: [{ part: "other" }] } } },
    ]);
  });

  test("ends with the run, at once, also for those who do not read", async () => {
    const { monitor, time } = observed();
    const server = await served(monitor, { time });
    const reader = await Reader.open(server.url);
    const deaf = await openDeaf(server.url);
    await reader.next();
    const ended = new Promise((resolve) => deaf.on("close", resolve));
    await server.close({ failed: true, reason: "Redis is gone" });
    expect(await reader.next()).toMatchObject([
      { event: "end", data: { failed: true, reason: "Redis is gone" } },
    ]);
    await reader.closed;
    deaf.resume();
    await ended;
    await expect(server.get("/healthz")).rejects.toThrow();
  });

  test("is made once for all clients", async () => {
    const { monitor, run, time } = observed();
    const { url } = await served(monitor, { time });
    const readers = await Promise.all(Array.from({ length: 100 }, () => Reader.open(url)));
    await Promise.all(readers.map((reader) => reader.next()));
    let looks = 0;
    const stats = run.stats.bind(run);
    run.stats = () => {
      looks += 1;
      return stats();
    };
    time.set(11_000);
    const ids = await Promise.all(readers.map(async (reader) => (await reader.next())[0]?.id));
    expect(new Set(ids).size).toBe(1);
    expect(looks).toBeLessThan(5);
  });
});

describe("a client that does not read", () => {
  test("gets nothing more, then a snapshot when it reads again; others are not delayed", async () => {
    const { monitor, time, emit } = observed();
    const server = await served(monitor, { time });
    const { url } = server;
    const reader = await Reader.open(url);
    const deaf = await openDeaf(url);
    await reader.next();
    let at = 10_000;
    const slow = (): Promise<string> =>
      server
        .get("/metrics")
        .then(
          async (response) => /^millrace_stream_slow_clients (\d)/m.exec(await response.text())?.[1] ?? "",
        );
    while ((await slow()) === "0") {
      emit(...Array.from({ length: 20 }, (_, i) => resultOf(`${at}-${i}`.padEnd(20_000, "k"), at)));
      at += 250;
      time.set(at);
      await reader.next();
    }
    emit(resultOf("while it did not read", at));
    time.set(at + 250);
    const got: Buffer[] = [];
    deaf.on("data", (bytes: Buffer) => got.push(bytes));
    deaf.resume();
    const snapshots = (): readonly string[] => Buffer.concat(got).toString().split("event: snapshot");
    while (snapshots().length < 3 || !snapshots().at(-1)?.endsWith("\n\n\r\n")) await time.yield();
    expect(await slow()).toBe("0");
    const [, before, after] = snapshots();
    expect(before).toContain("event: windows");
    expect(before).not.toContain("while it did not read");
    expect(after).toContain("while it did not read");
  });

  test("is disconnected after 30 s", async () => {
    const { monitor, time, emit } = observed();
    const server = await served(monitor, { time });
    const reader = await Reader.open(server.url);
    await openDeaf(server.url);
    await reader.next();
    const metric = async (name: string): Promise<string | undefined> =>
      new RegExp(`^millrace_stream_${name} (\\d)`, "m").exec(
        await (await server.get("/metrics")).text(),
      )?.[1];
    let at = 10_000;
    while ((await metric("slow_clients")) === "0") {
      emit(...Array.from({ length: 20 }, (_, i) => resultOf(`${at}-${i}`.padEnd(20_000, "k"), at)));
      at += 250;
      time.set(at);
      await reader.next();
    }
    time.set(at + 31_000);
    await time.yield();
    time.set(at + 33_000);
    while ((await metric("clients")) !== "1") await time.yield();
    expect(await metric("disconnects_total")).toBe("1");
  });
});
