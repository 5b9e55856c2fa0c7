import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { StateError } from "@millrace/dataflow";
import type { WorkerHeartbeat, LeaseTable, LeaseTableContext, WorkerShare } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { TaskConnection } from "../connection/task-connection.ts";
import { SharedPartsError } from "../errors.ts";
import { BEAT, LEAVE, RELEASE } from "../scripts/share.ts";
import { decodeText, encodeText } from "../task-keys.ts";
import type { GroupKeys } from "./group-keys.ts";

/** What a worker says of itself, for people. */
export interface WorkerNote {
  readonly host: string;
  readonly pid: number;
  /** When it joined, by its own clock, ms. */
  readonly since: number;
  readonly leaseMs: number;
}

/** A lease table in Redis, over a connection of its own, so that no heartbeat waits for a commit. */
export class RedisLeaseTable implements LeaseTable {
  readonly #connection: TaskConnection;
  readonly #keys: GroupKeys;
  /** The parts, as text that Redis can keep. */
  readonly #parts: readonly string[];
  readonly #shared: string;
  readonly #since: number;

  constructor(redis: RedisConnectionOptions, keys: GroupKeys, context: LeaseTableContext) {
    const { logger, time, parts } = context;
    this.#connection = new TaskConnection(redis, keys.workers, { storeTimeoutMs: Infinity, logger, time });
    this.#keys = keys;
    this.#parts = parts.map(encodeText);
    this.#shared = sharedText(parts);
    this.#since = time.now();
  }

  /** @throws SharedPartsError if the others share other partitions; RedisError */
  async beat({ worker, leaseMs, leaving }: WorkerHeartbeat): Promise<WorkerShare> {
    const note: WorkerNote = { host: hostname(), pid: process.pid, since: this.#since, leaseMs };
    const args = [worker, leaseMs, leaving ? 1 : 0, this.#shared, JSON.stringify(note), ...this.#parts];
    const reply = await this.#connection.run("take a worker's heartbeat", ({ script }) =>
      script(BEAT, this.#keys.all, args),
    );
    const answer: readonly unknown[] = Array.isArray(reply) ? reply : [];
    const [kind, detail, formingMs, owned] = answer;
    if (kind === "differs") throw this.#differs(String(detail));
    if (kind !== "share" || !Array.isArray(owned))
      throw new StateError(`Redis answered a heartbeat with ${JSON.stringify(reply)}, which is not a share.`);
    const names = owned.map((part) => decodeText(String(part)));
    return { owned: names, atMost: Number(detail), formingMs: Number(formingMs) };
  }

  async release(worker: string, part: string): Promise<void> {
    await this.#connection.run("free a partition", ({ script }) =>
      script(RELEASE, this.#keys.all, [worker, encodeText(part)]),
    );
  }

  async leave(worker: string): Promise<void> {
    await this.#connection.run("take a worker's leave", ({ script }) =>
      script(LEAVE, this.#keys.all, [worker]),
    );
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #differs(others: string): SharedPartsError {
    return new SharedPartsError(
      `The other workers of ${this.#keys.base} share ${readable(others)}, and this one would share ${readable(this.#shared)}. ` +
        "Give all workers of a group the same input and number of partitions; stop all of them before that changes; and give " +
        "workers of another input another group (--group, option group).",
    );
  }
}

/** The same for workers with the same partitions, and for people what they are. */
function sharedText(parts: readonly string[]): string {
  const digest = createHash("sha1").update(JSON.stringify(parts)).digest("hex");
  const names = parts.length < 2 ? `${parts[0]}` : `${parts[0]} to ${parts.at(-1)}`;
  return `${parts.length === 1 ? "1 partition" : `${parts.length} partitions`}, ${encodeText(names)} #${digest}`;
}

function readable(shared: string): string {
  return shared.replace(/ #[0-9a-f]+$/, "");
}
