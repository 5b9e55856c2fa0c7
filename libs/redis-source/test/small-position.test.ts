import { afterEach, expect, it } from "@jest/globals";
import { CallbackSink, Dataflow, MemoryStore, SILENT_LOGGER, run } from "@millrace/dataflow";
import type { Commit, FlowStats, Logger, Source, Store } from "@millrace/dataflow";
import { RedisStreamSource } from "@millrace/redis-source";
import type { RawLine } from "@millrace/dataflow";
import { frameOf } from "./support/frames.ts";
import { partContext } from "./support/part-context.ts";
import { StreamBench } from "./support/stream-bench.ts";

const PRODUCERS = 500;

let bench: StreamBench | undefined;

afterEach(async () => {
  await bench?.stop();
});

/** A store whose commits a test can look at. */
function watched(store: MemoryStore): { readonly store: Store; readonly commits: Commit[] } {
  const commits: Commit[] = [];
  return {
    commits,
    store: {
      look: (task, groups) => store.look(task, groups),
      close: () => store.close(),
      acquire: async (task) => {
        const owned = await store.acquire(task);
        return {
          fence: owned.fence,
          load: () => owned.load(),
          close: () => owned.close(),
          commit: (commit) => {
            commits.push(commit);
            return owned.commit(commit);
          },
        };
      },
    },
  };
}

function read(
  source: Source<RawLine>,
  store: Store,
  seen: unknown[],
  logger: Logger = SILENT_LOGGER,
): Promise<FlowStats> {
  const flow = new Dataflow("lines");
  flow.input("in", source).output("out", new CallbackSink((rows) => void seen.push(...rows.map(String))));
  return run(flow, { store, exitWhenIdleMs: 100, commitEveryMs: 1, logger });
}

it("a commit has only the changes of the account of numbers, and the next run restores all of it", async () => {
  bench = await StreamBench.start();
  const from = (producer: number, first: number, line: string): string | Uint8Array =>
    frameOf(first, [line], { producer: `producer-${producer}` });
  const many = Array.from({ length: PRODUCERS }, (_, i) => Buffer.from(from(i, 0, `${i}`)));
  await bench.add("s", many);
  const source = (): RedisStreamSource => new RedisStreamSource({ url: bench?.server.url }, { stream: "s" });
  const { store, commits } = watched(new MemoryStore());
  const seen: unknown[] = [];
  await read(source(), store, seen);
  expect(seen).toHaveLength(PRODUCERS);

  commits.length = 0;
  await bench.add("s", [Buffer.from(from(7, 1, "next of 7")), Buffer.from(from(9, 3, "later of 9"))]);
  const { logger } = partContext();
  const second = await read(source(), store, seen, logger);
  // With the whole position available before the task is acquired, the source is opened once.
  expect(logger.of("reading")).toHaveLength(1);
  expect(second.tasks[0]?.source).toMatchObject({ lost: 2, duplicates: 0 });
  for (const commit of commits) expect(JSON.stringify(commit).length).toBeLessThan(1_500);

  await bench.add("s", many);
  const third = await read(source(), store, seen);
  expect(third.tasks[0]?.source).toMatchObject({ read: 0, duplicates: PRODUCERS });
  expect(seen.slice(PRODUCERS)).toEqual(["next of 7", "later of 9"]);
});
