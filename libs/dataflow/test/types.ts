/**
 * Checked by the compiler alone: types flow from a source to its sinks without a type argument or a cast, and wrong
 * uses do not compile. Nothing here is run.
 */
import { CallbackSink, Dataflow, IterableSource, StdoutSink } from "@millrace/dataflow";
import type { Decoder, KeyedStream, PartResult, Stream } from "@millrace/dataflow";
import { EventClock, SystemClock, TumblingWindower, join } from "@millrace/windowing";
import type { LateEvent } from "@millrace/windowing";

interface Click {
  readonly zone: string;
  readonly mobile: boolean;
  readonly at: number;
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(proof: Equal<A, B>): void;
declare const clickDecoder: Decoder<string, Click>;

const flow = new Dataflow("types");
const lines = flow.input("lines", new IterableSource(["{}"]));
same<typeof lines, Stream<string>>(true);

const clicks = lines.decode("decode", clickDecoder);
same<typeof clicks, Stream<Click>>(true);

const keyed = clicks.keyBy("zone", "zone");
same<typeof keyed, KeyedStream<Click>>(true);

const windows = keyed.window("w", new TumblingWindower({ lengthMs: 5_000 }), new SystemClock());
const mobile = windows.reduce(
  "mobile",
  (click) => Number(click.mobile),
  (a, b) => a + b,
);
const rows = mobile.map("report", ({ key, value, window }) => ({
  zone: key,
  mobile: value,
  open: window.open,
}));
same<typeof rows, Stream<{ zone: string; mobile: number; open: number }>>(true);
same<typeof mobile.late, Stream<LateEvent<Click>>>(true);
rows.output("out", new StdoutSink());
rows.output("typed", new CallbackSink((batch: readonly { readonly zone: string }[]) => void batch.length));

const lists = windows.collect("all");
same<typeof lists extends Stream<PartResult<readonly Click[]>> ? true : false, true>(true);

const sides = windows.fold(
  "sides",
  join({ sides: { phone: (c: Click) => (c.mobile ? c.at : undefined), zone: (c: Click) => c.zone } }),
);
sides.map("joined", ({ value }) => {
  same<typeof value.phone, number | null>(true);
  same<typeof value.zone, string | null>(true);
  return value;
});

const { yes, no } = flow
  .input("mixed", new IterableSource<string | number>([1, "a"]))
  .branch("text", (event) => typeof event === "string");
same<typeof yes, Stream<string>>(true);
same<typeof no, Stream<number>>(true);

const running = keyed.statefulMap("running", (count: number | undefined, click, key) => [
  (count ?? 0) + 1,
  { key, at: click.at },
]);
same<typeof running, KeyedStream<{ key: string; at: number }>>(true);

const looked = clicks.mapAsync("look", async ({ zone }) => Promise.resolve(zone.length));
same<typeof looked, Stream<number>>(true);

const kept = clicks.map("kept", ({ zone, at }) => ({ zone, hour: at / 3_600_000 }), { keeps: "zone" });
same<typeof kept, Stream<{ zone: string; hour: number }>>(true);
const keptValues = keyed.mapValues("kept_values", ({ zone }) => ({ zone }), { keeps: "zone" });
same<typeof keptValues, KeyedStream<{ zone: string }>>(true);

// @ts-expect-error a step keeps a field of what comes out of it
clicks.map("bad_keeps", ({ at }) => ({ at }), { keeps: "zone" });
// @ts-expect-error what partitions are divided by is text
clicks.map("bad_kept_type", ({ zone, at }) => ({ zone, at }), { keeps: "at" });
// @ts-expect-error a filter keeps everything as it is, and has nothing to say
clicks.filter("bad_filter", ({ mobile }) => mobile, { keeps: "zone" });
// @ts-expect-error a field that holds no string is not a key
clicks.keyBy("bad_key", "at");
// @ts-expect-error a key is a string
clicks.keyBy("bad_fn", (click) => click.at);
// @ts-expect-error a decoder of something else than what the stream carries
clicks.decode("bad_decode", clickDecoder);
// @ts-expect-error windows need a key
clicks.window("bad_window", new TumblingWindower({ lengthMs: 1 }), new SystemClock());
const dateClock = new EventClock({ timestamp: (event: Date) => event.getTime(), waitMs: 0 });
// @ts-expect-error a clock of other events
keyed.window("bad_clock", new TumblingWindower({ lengthMs: 1 }), dateClock);
// @ts-expect-error a sink of other rows
rows.output("bad_sink", new CallbackSink((batch: readonly string[]) => void batch.length));
// @ts-expect-error only mapAsync takes an async function
clicks.filter("bad_async", async (click) => Promise.resolve(click.mobile));
// @ts-expect-error a keyed stream is not merged with one that has no keys
keyed.merge("bad_merge", clicks);
