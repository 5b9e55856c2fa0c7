import type { ServerResponse } from "node:http";
import type { TimeProvider } from "@millrace/dataflow";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { StreamEvents } from "../api/schemas.ts";
import type { FlowMonitor, ShownWindows } from "../monitor/flow-monitor.ts";
import { Refusal } from "./problem.ts";

/** Clients at the same time. */
const MAX_CLIENTS = 1_000;
/** Bytes of past events, for clients that come back. */
const RING_BYTES = 2 ** 20;
/** Bytes that may wait for one client; above it gets nothing until all are sent, and then a snapshot. */
const MAX_WAITING_BYTES = 256 * 1_024;
/** How long (ms) a client may take for that before it is disconnected. */
const SLOW_MS = 30_000;
const KEEPALIVE_MS = 15_000;
/** How long (ms) events are still made after the last client has left: it may come back. */
const LINGER_MS = 10_000;
/** Dead letters in an event; the snapshot has all that are kept. */
const LETTERS_SENT = 20;

const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // For nginx, which would keep events until its buffer is full.
  "x-accel-buffering": "no",
};

interface Client {
  readonly response: ServerResponse;
  /** Since when it has been left out, monotonic, ms. */
  slowSince: number | undefined;
}

interface PastEvent {
  readonly id: number;
  readonly bytes: Buffer;
}

type Name = keyof StreamEvents;

/**
 * Server-Sent Events of a monitor. An event is made once for all clients, and only while there are clients. What waits
 * for slow clients is bounded.
 */
export class StreamHub {
  readonly #monitor: FlowMonitor;
  readonly #time: TimeProvider;
  readonly #clients = new Set<Client>();
  readonly #ring: PastEvent[] = [];
  #ringBytes = 0;
  /** Of the last event. It begins with the time, so that numbers of an earlier process are not taken for these. */
  #lastId: number;
  #snapshot: PastEvent | undefined;
  /** What the clients have seen; `undefined`: there are none. */
  #seen: { readonly windows: ShownWindows; deadLetters: number } | undefined;
  #emptySince: number | undefined;
  #nextKeepalive = 0;
  #ended = false;
  /** Clients that were disconnected since they were too slow. */
  tooSlow = 0;

  constructor(monitor: FlowMonitor, time: TimeProvider) {
    this.#monitor = monitor;
    this.#time = time;
    this.#lastId = Math.floor(time.now()) * 1_000;
  }

  /** Clients now. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Clients now that get nothing until they have read what waits for them. */
  get slowClients(): number {
    return [...this.#clients].filter(({ slowSince }) => slowSince !== undefined).length;
  }

  /** Handles a request: its response is a stream of events. */
  readonly open = (request: FastifyRequest, reply: FastifyReply): void => {
    if (this.#ended) throw new Refusal(503, "The run has ended.");
    if (this.#clients.size >= MAX_CLIENTS) {
      throw new Refusal(
        503,
        `There are ${MAX_CLIENTS} clients already, which is the limit; try again later.`,
      );
    }
    reply.hijack();
    const { raw: response } = reply;
    // Also those of security that were set for every reply.
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) response.setHeader(name, value);
    }
    response.writeHead(200, STREAM_HEADERS);
    this.#begin();
    const client: Client = { response, slowSince: undefined };
    const leave = (): void => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#emptySince = this.#time.monotonic();
    };
    response.on("close", leave);
    response.on("error", leave);
    response.on("drain", () => {
      if (client.slowSince === undefined) return;
      response.write(this.#snapshotNow().bytes);
      client.slowSince = undefined;
    });
    const events = this.#since(request.headers["last-event-id"]) ?? [this.#snapshotNow()];
    this.#clients.add(client);
    for (const { bytes } of events) this.#send(client, bytes);
  };

  /** Another run has begun: what was sent before is void. */
  restart(): void {
    if (this.#seen === undefined) return;
    this.#forget();
    this.#begin();
    this.#lastId += 1;
    this.#snapshot = undefined;
    for (const client of this.#clients) this.#send(client, this.#snapshotNow().bytes);
  }

  /** Once a second. */
  sendTasks({ tasks, sample }: ReturnType<FlowMonitor["sample"]>): void {
    this.#dropSlow();
    const { deadLetterCount: letters } = this.#monitor;
    if (!this.#isActive() || this.#seen === undefined) return;
    // For the next event.
    void this.#monitor.lookAtOthers();
    this.#broadcast("tasks", { ...tasks, sample });
    if (this.#seen.deadLetters !== letters) {
      this.#seen.deadLetters = letters;
      const view = this.#monitor.deadLetters();
      this.#broadcast("dead-letters", { ...view, letters: view.letters.slice(0, LETTERS_SENT) });
    }
    if (this.#time.monotonic() < this.#nextKeepalive) return;
    this.#nextKeepalive = this.#time.monotonic() + KEEPALIVE_MS;
    for (const client of this.#clients) this.#send(client, KEEPALIVE);
  }

  /** Four times a second. */
  sendWindows(): void {
    if (!this.#isActive() || this.#seen === undefined) return;
    const changes = this.#monitor.windowChanges(this.#seen.windows);
    if (changes.windows.length + changes.removed.length > 0) {
      this.#broadcast("windows", { ...changes, removed: changes.removed });
    }
  }

  /** Sends the last event, and ends all streams. */
  end(outcome: StreamEvents["end"]): void {
    this.#ended = true;
    const last = this.#event("end", outcome, this.#lastId + 1);
    for (const { response, slowSince } of this.#clients) {
      if (slowSince === undefined) response.end(last);
      else response.destroy();
    }
    this.#clients.clear();
    this.#forget();
  }

  /** From now on events are made, until there is no client. */
  #begin(): void {
    this.#emptySince = undefined;
    if (this.#seen !== undefined) return;
    void this.#monitor.lookAtOthers();
    const windows: ShownWindows = new Map();
    // The snapshot has them.
    this.#monitor.windowChanges(windows);
    this.#seen = { windows, deadLetters: this.#monitor.deadLetterCount };
    this.#snapshot = undefined;
    this.#nextKeepalive = this.#time.monotonic() + KEEPALIVE_MS;
  }

  #isActive(): boolean {
    if (this.#emptySince === undefined) return this.#seen !== undefined;
    if (this.#time.monotonic() - this.#emptySince <= LINGER_MS) return true;
    this.#forget();
    return false;
  }

  /** The next client gets a snapshot. */
  #forget(): void {
    this.#ring.length = 0;
    this.#ringBytes = 0;
    this.#seen = undefined;
    this.#snapshot = undefined;
    // A client that has seen the last event has missed what was not made into one.
    this.#lastId += 1;
  }

  /** The events after one; `undefined`: it is not kept. */
  #since(given: string | string[] | undefined): readonly PastEvent[] | undefined {
    const id = typeof given === "string" && /^\d{1,16}$/.test(given) ? Number(given) : undefined;
    if (id === undefined) return undefined;
    if (id === this.#lastId) return [];
    const at = this.#ring.findIndex((event) => event.id === id);
    return at < 0 ? undefined : this.#ring.slice(at + 1);
  }

  #broadcast<N extends Name>(name: N, data: StreamEvents[N]): void {
    this.#lastId += 1;
    this.#snapshot = undefined;
    const event = { id: this.#lastId, bytes: this.#event(name, data, this.#lastId) };
    this.#ring.push(event);
    this.#ringBytes += event.bytes.length;
    while (this.#ringBytes > RING_BYTES) this.#ringBytes -= this.#ring.shift()?.bytes.length ?? 0;
    for (const client of this.#clients) this.#send(client, event.bytes);
  }

  /** The state as of the last event; the same for all clients until the next event. */
  #snapshotNow(): PastEvent {
    if (this.#snapshot !== undefined) return this.#snapshot;
    const monitor = this.#monitor;
    // Only a window that counts as seen is reported as removed, so that what the snapshot has is sent to all others, too.
    this.sendWindows();
    this.#snapshot = {
      id: this.#lastId,
      bytes: this.#event(
        "snapshot",
        {
          flow: monitor.flow(),
          tasks: monitor.tasks(),
          windows: monitor.windows(),
          history: monitor.history(),
          deadLetters: monitor.deadLetters(),
        },
        this.#lastId,
      ),
    };
    return this.#snapshot;
  }

  #send(client: Client, bytes: Buffer): void {
    if (client.slowSince !== undefined) return;
    if (client.response.writableLength > MAX_WAITING_BYTES) client.slowSince = this.#time.monotonic();
    else client.response.write(bytes);
  }

  #dropSlow(): void {
    const now = this.#time.monotonic();
    for (const client of this.#clients) {
      if (client.slowSince === undefined || now - client.slowSince <= SLOW_MS) continue;
      this.tooSlow += 1;
      this.#clients.delete(client);
      client.response.destroy();
    }
  }

  #event<N extends Name>(name: N, data: StreamEvents[N], id: number): Buffer {
    // JSON has no line break, so that the data is one line. One buffer serves all sockets.
    return Buffer.from(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}

const KEEPALIVE = Buffer.from(":keepalive\n\n");
