import { EventEmitter, once } from "node:events";
import { expect, test } from "@jest/globals";
import type { Redis } from "ioredis";
import { decodeFrame } from "@millrace/redis-source";
import type { FrameHeader } from "@millrace/redis-source";
import { soon } from "../src/conductor/bed.ts";
import { since } from "../src/conductor/faults/fault.ts";
import type { TestBed } from "../src/conductor/test-bed.ts";
import { CHANNEL } from "../src/names.ts";
import { parseRow } from "../src/conductor/read-results.ts";
import type { ResultRow } from "../src/tally.ts";
import { steadyEvents } from "./support/steady-events.ts";
import { withTestBed } from "./support/with-test-bed.ts";

const PORTION = 600;
const WINDOW_MS = 200;

test("Pub/Sub with connections cut or silent: what is missing is known, exactly over the run and within bounds per window", async () => {
  await withTestBed(async (bed) => {
    const file = await bed.writeInput(steadyEvents(PORTION * 6));
    const way = ["--transport=pubsub"];
    const wire = await Wire.tap(bed);
    const [publisher, aggregator] = await Promise.all([
      bed.startPublisher([...way, `--file=${file}`, `--portion=${PORTION}`, "--rate=1000"]),
      bed.startAggregator([
        ...way,
        "--clock=publish",
        `--window-ms=${WINDOW_MS}`,
        "--wait-ms=100",
        "--exit-when-idle-ms=2000",
      ]),
    ]);
    const portion = async (number: number, fault: () => unknown): Promise<void> => {
      publisher.kill("SIGUSR2");
      await fault();
      const out = publisher.logged("portion", ({ total }) => total === number * PORTION);
      await soon(out, `portion ${number}`);
    };
    const framesSoFar = (first: number): Promise<unknown> => soon(wire.reaches(first), `event ${first}`);
    await portion(1, () => undefined);
    await portion(2, async () => {
      await framesSoFar(PORTION * 1.3);
      bed.toAggregator.cut();
    });
    await portion(3, () => soon(bed.toPublisher.loseAnswer(), "an event to be published"));
    await portion(4, async () => {
      await framesSoFar(PORTION * 3.3);
      bed.toPublisher.cut();
      bed.toAggregator.cut();
    });
    await portion(5, async () => {
      await framesSoFar(PORTION * 4.3);
      const frozenAt = Date.now();
      bed.toAggregator.freeze();
      await soon(aggregator.logged("redis-lost", since(frozenAt)), "the silence to be noticed");
      expect(Date.now() - frozenAt).toBeLessThanOrEqual(15_000);
      await soon(aggregator.logged("redis-back", since(frozenAt)), "another connection");
    });
    await portion(6, () => undefined);
    await soon(publisher.ended, "the publisher to end");
    const { output, log, code } = await soon(aggregator.ended, "the aggregator to end");

    const sent = await wire.close();
    const published = perWindow(
      sent.map(({ publishedAtMs, count }) => [Math.floor(publishedAtMs / WINDOW_MS), count]),
    );
    const late = output.filter((line) => line.startsWith('{"late"')).length;
    const rows = output.filter((line) => !line.startsWith('{"late"')).map(parseRow);
    const counted = perWindow(rows.map(({ window, events }) => [window, events]));
    const done = log.find(({ event }) => event === "done");
    expect(code).toBe(0);
    expect(total(published)).toBe(PORTION * 6);
    expect(total(counted) + late + Number(done?.["lost"])).toBe(PORTION * 6);
    expect(done).toMatchObject({ unaccounted: 0 });
    for (const { window, complete } of rows) {
      if (complete === null) continue;
      const { atLeast, atMost } = complete === true ? { atLeast: 0, atMost: 0 } : complete;
      const missing = (published.get(window) ?? 0) - (counted.get(window) ?? 0);
      expect({ window, missing, inBounds: atLeast <= missing && missing <= atMost }).toEqual({
        window,
        missing,
        inBounds: true,
      });
    }
    // Both kinds of answer were put to the test.
    expect(rows.some(({ complete }) => complete === true)).toBe(true);
    expect(rows.some(hasBounds)).toBe(true);
    expect(Number(done?.["lost"])).toBeGreaterThan(0);
  });
}, 120_000);

function hasBounds({ complete }: ResultRow): boolean {
  return complete !== null && complete !== true;
}

/** Receives every frame over a direct connection; duplicates count once. */
class Wire {
  readonly #redis: Redis;
  readonly #frames = new Map<number, FrameHeader>();
  readonly #heard = new EventEmitter();

  static async tap(bed: TestBed): Promise<Wire> {
    const redis = bed.client();
    const wire = new Wire(redis);
    await redis.subscribe(CHANNEL);
    return wire;
  }

  private constructor(redis: Redis) {
    this.#redis = redis;
    redis.on("messageBuffer", (_: Buffer, message: Buffer) => {
      const frame = decodeFrame(message);
      if (frame.kind !== "frame" || frame.count === 0) return;
      this.#frames.set(frame.first, frame);
      this.#heard.emit("frame");
    });
  }

  /** Resolves when a frame with this number, or a higher one, has been heard. */
  async reaches(first: number): Promise<void> {
    while (Math.max(-1, ...this.#frames.keys()) < first) await once(this.#heard, "frame");
  }

  /** All frames with events, from all that was published before. */
  async close(): Promise<readonly FrameHeader[]> {
    await this.#redis.ping();
    this.#redis.disconnect();
    return [...this.#frames.values()];
  }
}

function perWindow(counts: readonly (readonly [window: number, events: number])[]): Map<number, number> {
  const sums = new Map<number, number>();
  for (const [window, events] of counts) sums.set(window, (sums.get(window) ?? 0) + events);
  return sums;
}

function total(counts: ReadonlyMap<number, number>): number {
  return [...counts.values()].reduce((sum, each) => sum + each, 0);
}
