/**
 * Checked by the compiler alone: types flow from a source to its sinks without a type argument or a cast, and wrong
 * uses do not compile. Nothing here is run.
 */
import { CallbackSink, Dataflow, IterableSource, StdoutSink, iterate } from "@millrace/dataflow";
import type { Decoder, PartResult, Stream } from "@millrace/dataflow";
import {
  aggregate,
  approxDistinct,
  collectList,
  collectMap,
  collectSet,
  count,
  distinct,
  eventTime,
  foldOf,
  join,
  mapCodec,
  max,
  messageTime,
  migrated,
  quantile,
  reduce,
  session,
  sliding,
  sum,
  systemTime,
  topK,
  tumbling,
  windowTime,
} from "@millrace/windowing";
import type { ClosingFold, JsonCodec, LateEvent, Ranked, RefusedEvent } from "@millrace/windowing";

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
same<typeof keyed, Stream<Click, string>>(true);

const windows = keyed.window("w", tumbling(5_000), systemTime());
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
same<typeof rows, Stream<{ zone: string; mobile: number; open: number }, string>>(true);
same<typeof mobile.late, Stream<LateEvent<Click>, string>>(true);
rows.output("out", new StdoutSink());
rows.output("typed", new CallbackSink((batch: readonly { readonly zone: string }[]) => void batch.length));

const lists = windows.collect("all");
same<typeof lists extends Stream<PartResult<readonly Click[]>, string> ? true : false, true>(true);

const sides = windows.fold(
  "sides",
  join({ sides: { phone: (c: Click) => (c.mobile ? c.at : undefined), zone: (c: Click) => c.zone } }),
);
sides.map("joined", ({ value }) => {
  same<typeof value.phone, number | null>(true);
  same<typeof value.zone, string | null>(true);
  return value;
});

interface Visit {
  readonly user?: string;
  readonly price: number;
  readonly tags: readonly string[];
}
declare const visits: Stream<Visit>;
const visitWindows = visits
  .keyBy("user", ({ user = "" }) => user)
  .window("visits", tumbling(1), systemTime(), { onError: "dead-letter" });
const sums = visitWindows.aggregate("sums", {
  events: count(),
  revenue: sum((visit) => visit.price),
  users: distinct((visit) => visit.user, { max: 10_000 }),
  tags: collectSet((visit) => visit.tags[0]),
  prices: collectList((visit) => visit.price),
  byUser: collectMap((visit) => [visit.user ?? "", visit.price]),
  dearest: max((visit) => visit.price),
  last: reduce(
    (visit) => visit,
    (_, visit) => visit,
  ),
});
sums.map("row", ({ value }) => {
  same<
    typeof value,
    {
      readonly events: number;
      readonly revenue: number;
      readonly users: number;
      readonly tags: readonly string[];
      readonly prices: readonly number[];
      readonly byUser: Readonly<Record<string, number>>;
      readonly dearest: number;
      readonly last: Visit;
    }
  >(true);
  return value;
});
// An interface is JSON where all of its fields are.
visitWindows.collect("visits");
visitWindows.reduce(
  "last",
  (visit) => visit,
  (_, visit) => visit,
);
const apart = aggregate({ events: count(), price: sum((visit: Visit) => visit.price) });
same<
  typeof apart extends ClosingFold<Visit, unknown, { events: number; price: number }> ? true : false,
  true
>(true);
visitWindows.fold("apart", apart);

interface Login {
  readonly at: Date;
  readonly roles: Set<string>;
}
declare const logins: Stream<Login, string>;
const loginWindows = logins.window("logins", tumbling(1), systemTime());
declare function firstOf<T>(a: T, b: T): T;
const dateCodec: JsonCodec<Date> = {
  snapshot: (date) => date.getTime(),
  restore: (state) => new Date(Number(state)),
};
const firstLogin = loginWindows.reduce(
  "first",
  (login) => login.at,
  (a, b) => (b < a ? b : a),
  { codec: dateCodec },
);
same<typeof firstLogin extends Stream<PartResult<Date>, string> ? true : false, true>(true);
const tally = foldOf(
  {
    create: () => new Map<string, number>(),
    add: (counts, { roles }: Login) => counts.set("roles", roles.size),
    merge: (earlier, _later) => earlier,
    result: (counts) => counts.size,
  },
  { codec: mapCodec<number>() },
);
const tallies = loginWindows.fold("tally", tally);
same<typeof tallies extends Stream<PartResult<number>, string> ? true : false, true>(true);
const words = foldOf({
  create: (): readonly Visit[] => [],
  add: (all, visit: Visit) => [...all, visit],
  merge: (earlier, later) => [...earlier, ...later],
});
same<typeof words extends ClosingFold<Visit, unknown, readonly Visit[]> ? true : false, true>(true);

const { yes, no } = flow
  .input("mixed", new IterableSource<string | number>([1, "a"]))
  .branch("text", (event) => typeof event === "string");
same<typeof yes, Stream<string>>(true);
same<typeof no, Stream<number>>(true);

const running = keyed.statefulMap(
  "running",
  () => 0,
  (clicks, { at }, key) => [clicks + 1, { key, at }],
);
same<typeof running, Stream<{ key: string; at: number }, string>>(true);

const looked = clicks.mapAsync("look", async ({ zone }) => Promise.resolve(zone.length));
same<typeof looked, Stream<number>>(true);

const kept = clicks.map("kept", ({ zone, at }) => ({ zone, hour: at / 3_600_000 }), { keeps: "zone" });
same<typeof kept, Stream<{ zone: string; hour: number }>>(true);
const keptValues = keyed.map("kept_values", ({ zone }) => ({ zone }), { keeps: "zone" });
same<typeof keptValues, Stream<{ zone: string }, string>>(true);

// @ts-expect-error a step keeps a field of what comes out of it
clicks.map("bad_keeps", ({ at }) => ({ at }), { keeps: "zone" });
// @ts-expect-error what partitions are divided by is text
clicks.map("bad_kept_type", ({ zone, at }) => ({ zone, at }), { keeps: "at" });
// @ts-expect-error a filter keeps everything as it is, and has nothing to say
clicks.filter("bad_filter", ({ mobile }) => mobile, { keeps: "zone" });
// @ts-expect-error a Date is not JSON, so it needs a codec
loginWindows.reduce("bad_date", (login) => login.at, firstOf);
// @ts-expect-error a Set is not JSON, so it needs a codec
loginWindows.reduce("bad_set", (login) => login.roles, firstOf);
// @ts-expect-error events with a Date and a Set are not JSON, so they need a codec
loginWindows.collect("bad_collect");
// @ts-expect-error a Map is not JSON, so it needs a codec
foldOf({ create: () => new Map<string, number>(), add: (all) => all, merge: (all) => all });
// @ts-expect-error a fold of other events
visitWindows.aggregate("bad_events", { dates: distinct((login: Login) => login.at.getTime()) });
// @ts-expect-error only texts, numbers, booleans and null can be compared
visitWindows.aggregate("bad_distinct", { tags: distinct((visit) => visit.tags) });
// @ts-expect-error an event without a number
visitWindows.sum("bad_sum", (visit) => visit.user);

// @ts-expect-error a field that holds neither string nor number is not a key
clicks.keyBy("bad_key", "mobile");
// @ts-expect-error nor is one that may be absent
visits.keyBy("bad_absent", "user");
// @ts-expect-error a key is a string or a number
clicks.keyBy("bad_fn", (click) => click.mobile);
// @ts-expect-error a decoder of something else than what the stream carries
clicks.decode("bad_decode", clickDecoder);
// @ts-expect-error windows need a key
clicks.window("bad_window", tumbling(1), systemTime());
const dateClock = eventTime((event: Date) => event.getTime(), { wait: 0 });
// @ts-expect-error a clock of other events
keyed.window("bad_clock", tumbling(1), dateClock);
// @ts-expect-error a sink of other rows
rows.output("bad_sink", new CallbackSink((batch: readonly string[]) => void batch.length));
// @ts-expect-error only mapAsync takes an async function
clicks.filter("bad_async", async (click) => Promise.resolve(click.mobile));
// Results have the key of their window, and may be keyed again.
mobile.map("key_of_result", (_, key) => {
  same<typeof key, string>(true);
  return key;
});
const perHour = mobile
  .keyBy("by_hour", ({ window }) => String(Math.floor(window.open / 3_600_000)))
  .statefulMap(
    "sum",
    () => 0,
    (total, { value }) => [total + value, total],
  );
same<typeof perHour, Stream<number, string>>(true);
const guarded = keyed.branch("is_click", (click): click is Click & { readonly mobile: true } => click.mobile);
same<typeof guarded.yes, Stream<Click & { readonly mobile: true }, string>>(true);
const ats = keyed.filterMap("ats", ({ mobile, at }) => (mobile ? at : undefined));
same<typeof ats, Stream<number, string>>(true);
declare const zoneDecoder: Decoder<Click, number>;
const again = keyed.decode("again", zoneDecoder);
same<typeof again, Stream<number, string>>(true);
const noKey = keyed.dropKey();
same<typeof noKey, Stream<Click>>(true);

// A state's type is that of a new key's state.
const silence = keyed.statefulFlatMap("silence", {
  create: () => ({ last: 0, seen: 0 }),
  onEvent({ seen }, click, { now }) {
    same<typeof seen, number>(true);
    return { state: { last: click.at, seen: seen + 1 }, notifyAt: now + 1_000 };
  },
  onNotify: ({ last }, { key }) => ({ state: undefined, out: [{ key, last }] }),
});
same<typeof silence, Stream<{ key: string; last: number }, string>>(true);
const maybeForgotten = keyed.statefulMap(
  "until_ten",
  () => 0,
  (n, { zone }) => [n < 10 ? n + 1 : undefined, zone],
);
same<typeof maybeForgotten, Stream<string, string>>(true);

// Streams of different events are merged into one of either.
const either = clicks.merge(looked, kept);
same<typeof either, Stream<Click | number | { zone: string; hour: number }>>(true);
const named = clicks.merge("either", looked);
same<typeof named, Stream<Click | number>>(true);
const eitherKeyed = keyed.merge(mobile, running);
same<typeof eitherKeyed, Stream<Click | PartResult<number> | { key: string; at: number }, string>>(true);

// A clock apart from its window names a field, which its events must have.
const clock = eventTime("at", { wait: "1s", maxFuture: "unbounded" });
keyed.window("clocked", tumbling("5s"), clock).count();
// @ts-expect-error the events of this stream have no time under that name
visits.keyBy("by_price", "price").window("bad_field", tumbling("5s"), clock);

// Times in seconds, with the event's type from the stream.
keyed.window("in_seconds", tumbling("5s"), eventTime("at", { unit: "s", wait: "1s" })).count();
keyed
  .window(
    "read_seconds",
    tumbling("5s"),
    eventTime((click) => click.at, { unit: "s", wait: "1s" }),
  )
  .count();
// @ts-expect-error there is no such unit
eventTime("at", { unit: "us", wait: 0 });
// @ts-expect-error the time of a message is not read from an event, so it has no unit
messageTime({ unit: "s", wait: 0 });
// @ts-expect-error a boolean is no time
eventTime((click: Click) => click.mobile, { wait: 0 });

// Numbers are keys too; their text is the key.
const byPrice = visits.keyBy("price");
same<typeof byPrice, Stream<Visit, string>>(true);
const byLength = visits.keyBy((visit) => visit.tags.length);
same<typeof byLength, Stream<Visit, string>>(true);

// Names are needed only where state hangs on them: types are the same without.
const unnamed = lines
  .decode(clickDecoder)
  .filter(({ at }) => at > 0)
  .inspect(({ zone }) => zone.length)
  .keyBy("zone")
  .window(
    "unnamed",
    tumbling("5s"),
    eventTime((click) => click.at, { wait: "1s" }),
  )
  .aggregate({ events: count(), last: max((click) => click.at) })
  .map(({ value, window }, key) => ({ key, events: value.events, last: value.last, open: window.open }));
same<typeof unnamed, Stream<{ key: string; events: number; last: number; open: number }, string>>(true);
const flat = clicks
  .keyBy(({ zone }) => zone, { field: "zone" })
  .filterMap((click, key) => (click.mobile ? key : undefined))
  .flatMap((text) => [text.length])
  .mapAsync(async (n, { key }) => Promise.resolve({ n, key }));
same<typeof flat, Stream<{ n: number; key: string }, string>>(true);
const parts = clicks.branch((click): click is Click & { readonly mobile: true } => click.mobile);
same<typeof parts.yes, Stream<Click & { readonly mobile: true }>>(true);
same<typeof parts.no, Stream<Click>>(true);
const texts = flow
  .input("texts", new IterableSource<string | number>([]))
  .filter((n) => typeof n === "string");
same<typeof texts, Stream<string>>(true);
const sumOf = windows.sum((click) => click.at);
const listOf = windows.collect();
const reduced = windows.reduce(
  (click) => click.zone,
  (a, b) => a + b,
);
same<typeof sumOf extends Stream<PartResult<number>, string> ? true : false, true>(true);
same<typeof listOf extends Stream<PartResult<readonly Click[]>, string> ? true : false, true>(true);
same<typeof reduced extends Stream<PartResult<string>, string> ? true : false, true>(true);

// @ts-expect-error state is kept under a step's name
keyed.window(tumbling("1s"), systemTime());
// @ts-expect-error an output is known by its name
rows.output(new StdoutSink());
// @ts-expect-error what was seen is kept under the step's name
clicks.deduplicate((click) => click.zone, { within: "1s" });
// @ts-expect-error a field that the events do not have
clicks.keyBy("zones");
// @ts-expect-error a duration has one of the units
tumbling("5 sec");
// @ts-expect-error a stateful step needs a key
clicks.statefulMap(
  "bad_stateful",
  () => 0,
  (n, click: Click) => [n, click],
);
// @ts-expect-error so does a stateful step that makes any number of events
clicks.statefulFlatMap("bad_flat", { create: () => 0, onEvent: (state: number) => ({ state }) });
// @ts-expect-error and so do lists for each key
clicks.collect("bad_lists", { maxSize: 1, timeout: "1s" });
// @ts-expect-error a stream whose keys were dropped has none
noKey.window("bad_dropped", tumbling("1s"), systemTime());
// @ts-expect-error a keyed stream is not one without keys
const unkeyed: Stream<Click> = keyed;
// @ts-expect-error a keyed stream is not merged with one that has no keys
keyed.merge("bad_merge", clicks);

// A join: each side reads the events that the stream has, and its values are in the row.
const joined = clicks
  .keyBy("zone")
  .window("joins", tumbling("1m"), systemTime())
  .join({
    sides: { mobile: (click) => (click.mobile ? click.at : undefined), zone: (click) => click.zone },
  });
joined.map(({ value }) => {
  same<typeof value, { readonly mobile: number | null; readonly zone: string | null }>(true);
});
const products = clicks
  .keyBy("zone")
  .window("products", tumbling("1m"), systemTime())
  .join("all", { sides: { at: (click) => click.at }, insert: "product" });
products.map(({ value }) => {
  same<typeof value, readonly { readonly at: number | null }[]>(true);
});
const perMinute = clicks.keyBy("zone").window("bad_join", tumbling("1m"), systemTime());
// @ts-expect-error a side reads a field that the events have not
perMinute.join({ sides: { a: (click) => click.none } });

// Another value in a result: its key and window are known, and stay.
const shaped = mobile.mapValue((clicks, { key, window, part }) => ({
  zone: key,
  clicks,
  open: window.open,
  part,
}));
same<typeof shaped, Stream<PartResult<{ zone: string; clicks: number; open: number; part: string }>, string>>(
  true,
);
const shapedEvents = sums.filter(({ value }) => value.events > 1).mapValue("events", ({ events }) => events);
same<typeof shapedEvents, Stream<PartResult<number>, string>>(true);
// @ts-expect-error only results of windows have a value
keyed.mapValue((click: Click) => click.at);

// The rows of a stream, in a loop.
async function loops(): Promise<void> {
  for await (const { key, value, window } of iterate(flow, shaped, { exitWhenIdleMs: 1_000 })) {
    same<typeof key, string>(true);
    same<typeof value, { zone: string; clicks: number; open: number; part: string }>(true);
    same<typeof window.open, number>(true);
  }
  for await (const line of iterate(flow, lines)) same<typeof line, string>(true);
  for await (const late of iterate(flow, mobile.late)) same<typeof late, LateEvent<Click>>(true);
  // @ts-expect-error an option that a run does not have
  iterate(flow, lines, { buffer: 10 });
  // @ts-expect-error a flow without a stream
  iterate(flow);
}
void loops;

// Every fold of a window has its own value, and late and refused events are streams beside the results.
same<ReturnType<typeof windows.count> extends Stream<PartResult<number>, string> ? true : false, true>(true);
const least = windows.min((click) => click.at);
const greatest = windows.max("latest", (click) => click.at);
const average = windows.mean((click) => click.at);
const different = windows.distinct((click) => (click.mobile ? click.zone : undefined), { max: 10 });
for (const numbers of [least, greatest, average, different]) {
  same<typeof numbers extends Stream<PartResult<number>, string> ? true : false, true>(true);
}
same<typeof mobile.refused, Stream<RefusedEvent<Click>, string>>(true);
const missed = mobile.late.merge(mobile.refused);
same<typeof missed, Stream<LateEvent<Click> | RefusedEvent<Click>, string>>(true);
// @ts-expect-error the least of values that are not numbers
windows.min((click) => click.zone);

// Results of windows are windowed again by their own time.
const hours = mobile.window("hours", tumbling("1h"), windowTime()).sum(({ value }) => value);
same<typeof hours extends Stream<PartResult<number>, string> ? true : false, true>(true);
// @ts-expect-error only results have the time of a window
keyed.window("bad_hours", tumbling("1h"), windowTime());

// Several numbers in one row, without a name for the step or types for the events.
const audience = windows.aggregate({
  events: count(),
  zones: distinct((click) => click.zone),
  lengths: collectList((click) => click.zone.length),
});
audience.mapValue(({ events, zones, lengths }, { key }) => {
  same<typeof events, number>(true);
  same<typeof zones, number>(true);
  same<typeof lengths, readonly number[]>(true);
  return key;
});
// @ts-expect-error a field that the events do not have
windows.aggregate({ users: distinct((click) => click.user) });

// The first of each side of a join, or the last, is one value.
const firsts = windows.join({ sides: { at: (click) => click.at }, insert: "first" });
firsts.map(({ value }) => {
  same<typeof value, { readonly at: number | null }>(true);
});
// @ts-expect-error there is no such insert
windows.join({ sides: { at: (click) => click.at }, insert: "newest" });

// Every step that makes new events keeps their keys, and passes them as the second argument.
const { yes: phones, no: others } = keyed.branch((click, key) => click.mobile && key.length > 0);
same<typeof phones, Stream<Click, string>>(true);
same<typeof others, Stream<Click, string>>(true);
const perZone = keyed
  .filterMap("zones_of_phones", (click, key) => (click.mobile ? { key, at: click.at } : undefined))
  .flatMap(({ at }, key) => [`${key} ${at}`])
  .inspect((text, key) => text.startsWith(key));
same<typeof perZone, Stream<string, string>>(true);
const unkeyedKey = clicks.map((_, key) => key);
same<typeof unkeyedKey, Stream<undefined>>(true);
const batches = keyed.collect("batches", { maxSize: 10, timeout: "1s" });
same<typeof batches, Stream<readonly Click[], string>>(true);
const once = keyed.deduplicate("once", (click) => click.zone, { within: "1m" });
same<typeof once, Stream<Click, string>>(true);
const byNumber = keyed.keyBy("at").map((_, key) => key);
same<typeof byNumber, Stream<string, string>>(true);

// A clock apart from its window requires of events only what it reads.
const dated = eventTime((event: { readonly at: number }) => event.at, { wait: "1s" });
keyed.window("dated", tumbling("5s"), dated).count();
// @ts-expect-error the events of this stream have no time
visits.keyBy("price").window("bad_dated", tumbling("5s"), dated);
// Every fold infers its row from what it reads.
const folded = {
  approx: windows.approxDistinct((click) => click.mobile),
  one: windows.quantile((click) => click.at, 0.99),
  two: windows.quantile("two", (click) => click.at, [0.5, 0.99]),
  top: windows.topK((click) => click.zone, 3),
  list: windows.collectList((click) => (click.mobile ? click.at : undefined)),
  set: windows.collectSet((click) => click.zone),
  map: windows.collectMap((click) => [click.zone, click.at]),
};
type ValueIn<S> = S extends Stream<PartResult<infer R>, string> ? R : never;
same<ValueIn<typeof folded.approx>, number>(true);
same<ValueIn<typeof folded.one>, number>(true);
same<ValueIn<typeof folded.two>, readonly [number, number]>(true);
same<ValueIn<typeof folded.top>, readonly Ranked<string>[]>(true);
same<ValueIn<typeof folded.list>, readonly number[]>(true);
same<ValueIn<typeof folded.set>, readonly string[]>(true);
same<ValueIn<typeof folded.map>, Readonly<Record<string, number>>>(true);
const sketches = windows.aggregate({
  p: quantile((click) => click.at, [0.5, 0.9]),
  top: topK((click) => click.zone, 2),
  users: approxDistinct((click) => click.zone),
});
same<
  ValueIn<typeof sketches>,
  { readonly p: readonly [number, number]; readonly top: readonly Ranked<string>[]; readonly users: number }
>(true);
// @ts-expect-error a quantile is of numbers
windows.quantile((click) => click.zone, 0.5);
// @ts-expect-error an object has no equality that a count could go by
windows.topK((click) => ({ zone: click.zone }), 3);
// @ts-expect-error a Date is not JSON, and needs a codec
windows.collectList((click) => new Date(click.at));
// @ts-expect-error a Date is not JSON, and needs a codec
windows.collectMap((click) => [click.zone, new Date(click.at)]);

// Windows of a calendar.
clicks
  .keyBy("zone")
  .window("days", tumbling("1d", { timeZone: "Europe/Berlin" }), systemTime())
  .count();
clicks.keyBy("zone").window("weeks", tumbling("1w"), systemTime()).count();
// @ts-expect-error a month has no fixed length, and needs a time zone
tumbling("1mo");
// @ts-expect-error windows in a time zone are whole days, weeks or months
tumbling("24h", { timeZone: "Europe/Berlin" });
// @ts-expect-error sliding windows have no time zone
sliding("2d", { every: "1d", timeZone: "Europe/Berlin" });
// @ts-expect-error sessions have no time zone
session("30m", { timeZone: "Europe/Berlin" });

// State of an earlier version: what was stored is unknown, and what becomes of it is the state.
keyed.statefulMap(
  "migrated",
  () => ({ seen: 0 }),
  ({ seen }, { zone }) => [{ seen: seen + 1 }, zone],
  {
    version: 2,
    formerly: ["older", "oldest"],
    migrate(old, { key, version }) {
      same<typeof old, unknown>(true);
      same<typeof key, string>(true);
      same<typeof version, number>(true);
      return typeof old === "number" ? { seen: old } : undefined;
    },
  },
);
keyed.statefulMap(
  "wrongly_migrated",
  () => 0,
  (n, { zone }) => [n + 1, zone],
  // @ts-expect-error the state is a number
  { version: 2, migrate: () => "none" },
);
// @ts-expect-error a former id is a name
keyed.window("renamed", tumbling("5s"), systemTime(), { formerly: 5 });
const fromCount = migrated(
  aggregate({
    events: count(),
    amount: sum((click: Click) => click.at),
    zones: distinct(({ zone }: Click) => zone),
  }),
  count(),
  (events) => {
    same<typeof events, number>(true);
    return { events };
  },
);
const fromRow = keyed.window("from_row", tumbling("5s"), systemTime()).fold(
  migrated(
    sum((click: Click) => click.at),
    aggregate({ events: count(), zones: distinct(({ zone }: Click) => zone) }),
    ({ events, zones }) => events + zones,
  ),
);
same<ValueIn<typeof fromRow>, number>(true);
const fromNumber = keyed.window("from_count", tumbling("5s"), systemTime()).fold(fromCount);
same<
  ValueIn<typeof fromNumber>,
  { readonly events: number; readonly amount: number; readonly zones: number }
>(true);
// @ts-expect-error nothing makes a set of a number
migrated(aggregate({ zones: distinct(({ zone }: Click) => zone) }), count(), (events) => ({ zones: events }));
