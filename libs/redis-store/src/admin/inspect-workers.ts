import { StateError } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { GroupKeys } from "../assignment/group-keys.ts";
import { WORKERS } from "../scripts/share.ts";
import { decodeText } from "../task-keys.ts";
import { withConnection } from "./with-task.ts";
import type { TaskAccessOptions } from "./with-task.ts";

/** A worker that shares tasks with others, as Redis knows it. */
export interface WorkerInspection {
  readonly worker: string;
  /** Where it runs; `undefined`: not known. */
  readonly host: string | undefined;
  readonly pid: number | undefined;
  /** When it joined, by its own clock, ms. */
  readonly since: number | undefined;
  /** Time since its last heartbeat, ms. */
  readonly leaseAgeMs: number | undefined;
  /** Time until others get its tasks, unless it sends a heartbeat, ms. */
  readonly leaseLeftMs: number;
  /** It is giving up its tasks. */
  readonly leaving: boolean;
  readonly parts: readonly string[];
}

/**
 * Reads which workers share a flow's tasks, and changes nothing.
 *
 * @param group the group's name: the flow's id, unless the workers were given another
 * @returns live workers only; none: no worker runs that shares its tasks
 * @throws RedisError, StoreUnavailableError; the reason of the signal
 */
export function inspectWorkers(
  redis: RedisConnectionOptions,
  group: string,
  options: TaskAccessOptions = {},
): Promise<readonly WorkerInspection[]> {
  const keys = new GroupKeys(group, options.keyPrefix);
  return withConnection(redis, keys.workers, options, (connection) =>
    connection.run("show workers", async ({ script }) => {
      const reply = await script(WORKERS, keys.all, []);
      if (!Array.isArray(reply))
        throw new StateError(`Redis answered ${JSON.stringify(reply)} in place of the workers.`);
      const [now, workers, leaving, owners, about] = reply.map((part: unknown) => part);
      const at = Number(now);
      const parts = pairsOf(owners);
      const notes = new Map(pairsOf(about));
      return [
        ...pairsOf(workers).map((each) => workerOf(each, at, false, parts, notes)),
        ...pairsOf(leaving).map((each) => workerOf(each, at, true, parts, notes)),
      ].filter(({ leaseLeftMs }) => leaseLeftMs > 0);
    }),
  );
}

type Pair = readonly [name: string, value: string];

function workerOf(
  [worker, end]: Pair,
  now: number,
  leaving: boolean,
  owners: readonly Pair[],
  notes: ReadonlyMap<string, string>,
): WorkerInspection {
  const note = noteOf(notes.get(worker));
  const numberOf = (name: string): number | undefined => {
    const value: unknown = note[name];
    return typeof value === "number" ? value : undefined;
  };
  const leaseLeftMs = Number(end) - now;
  const leaseMs = numberOf("leaseMs");
  return {
    worker,
    host: typeof note["host"] === "string" ? note["host"] : undefined,
    pid: numberOf("pid"),
    since: numberOf("since"),
    leaseAgeMs: leaseMs === undefined ? undefined : leaseMs - leaseLeftMs,
    leaseLeftMs,
    leaving,
    parts: owners.filter(([, owner]) => owner === worker).map(([part]) => decodeText(part)),
  };
}

function noteOf(text: string | undefined): Readonly<Record<string, unknown>> {
  const note: unknown = text === undefined ? undefined : JSON.parse(text);
  return typeof note === "object" && note !== null ? { ...note } : {};
}

function pairsOf(flat: unknown): readonly Pair[] {
  if (!Array.isArray(flat)) return [];
  const texts = flat.map(String);
  return texts.flatMap((name, index) => (index % 2 === 0 ? [[name, texts[index + 1] ?? ""] as const] : []));
}
