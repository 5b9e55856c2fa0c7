import { availableParallelism } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { formatDuration, messageTime, sliding, tumbling } from "@millrace/windowing";
import * as command from "@millrace/command/testing";
import { AGGREGATOR } from "../src/aggregator.ts";

type Args = readonly string[];
type Env = Readonly<Record<string, string>>;
const aggregatorConfig = (args: Args, env: Env) => command.runConfig(AGGREGATOR, args, env);
const graphConfig = (args: Args, env: Env) => command.graphConfig(AGGREGATOR, args, env);
const inspectConfig = (args: Args, env: Env) => command.inspectConfig(AGGREGATOR, args, env);
const resetConfig = (args: Args, env: Env) => command.resetConfig(AGGREGATOR, args, env);

describe("aggregatorConfig", () => {
  test("with Kafka keeps state in Redis, and names tasks after the topic's partitions", () => {
    const kafka = ["--transport=kafka", "--channel=clicks"];
    expect(aggregatorConfig([...kafka, "--tasks=0,2", "--start=latest", "--group=g"], {})).toMatchObject({
      ...{ store: "redis", start: "latest", group: "g", tasks: ["clicks-0", "clicks-2"] },
      kafka: { brokers: ["localhost:9092"] },
    });
    expect(() => aggregatorConfig([...kafka, "--start=5-0"], {})).toThrow("is the id of a stream's entry");
    expect(() => aggregatorConfig([...kafka, "--start=5"], {})).toThrow("name it with --tasks");
    expect(aggregatorConfig([...kafka, "--start=5", "--tasks=1"], {}).start).toBe("5");
    expect(() => aggregatorConfig([...kafka, "--trim"], {})).toThrow("--trim has no effect");
    expect(() => aggregatorConfig([...kafka, "--late=late.jsonl"], {})).toThrow("put {part} into the name");
    // All partitions of the topic, which Kafka is asked for.
    expect(inspectConfig(kafka, {}).tasks).toBeUndefined();
  });

  test("counts mobile events in 5 s windows by default", () => {
    expect(aggregatorConfig([], {})).toEqual({
      flow: {
        choice: { kind: "built-in", name: "mobile-counts", flow: { build: expect.any(Function) } },
        windower: tumbling(5_000),
        clock: undefined,
        windowing: {},
        meta: false,
        given: { windower: [], clock: [], windowing: [], results: [], late: [] },
      },
      exitWhenIdleMs: Infinity,
      idleFrom: "first-event",
      closeWindows: false,
      drainTimeoutMs: 25_000,
      maxKeys: undefined,
      sink: "stdout",
      resultTtlMs: 604_800_000,
      storeTimeoutMs: Infinity,
      dropState: [],
      store: "none",
      input: {
        transport: "pubsub",
        channels: ["device_events"],
        pattern: undefined,
        partitions: 1,
        names: ["device_events"],
        partitionBy: "os_timezone",
      },
      tasks: undefined,
      entries: undefined,
      start: "earliest",
      group: undefined,
      trim: false,
      redis: { connectTimeoutMs: 5_000 },
      observe: { http: undefined, trace: false },
      log: { level: "info", format: "auto" },
    });
  });

  test("reads every option from the environment", () => {
    const env = {
      MILLRACE_FLOW: "audience",
      MILLRACE_WINDOW: "sliding:1m/10s",
      MILLRACE_CLOCK: "publish:2s",
      MILLRACE_ALLOWED_LATENESS: "1m",
      MILLRACE_EARLY: "1s",
      MILLRACE_META: "true",
      MILLRACE_EXIT_WHEN_IDLE: "500ms",
      MILLRACE_CLOSE_WINDOWS: "yes",
      MILLRACE_MAX_KEYS: "1000",
      MILLRACE_SINK: "redis",
      MILLRACE_RESULT_TTL: "7d",
      MILLRACE_STORE: "redis",
      MILLRACE_TRANSPORT: "stream",
      REDIS_CHANNEL_NAME: "clicks",
      MILLRACE_PARTITIONS: "4",
      MILLRACE_PARTITION_BY: "os_name",
      MILLRACE_TASKS: "0, 2,2",
      MILLRACE_STREAM_FIELD: "payload",
      MILLRACE_START: "1763848800123-0",
      MILLRACE_GROUP: "mine",
      MILLRACE_TRIM: "yes",
      MILLRACE_LOG_LEVEL: "warn",
      MILLRACE_LOG_FORMAT: "json",
    };
    expect(aggregatorConfig([], env)).toMatchObject({
      flow: {
        choice: { kind: "built-in", name: "audience" },
        windower: sliding(60_000, { every: 10_000 }),
        clock: messageTime({ wait: 2_000 }),
        windowing: { allowedLateness: 60_000, earlyEvery: 1_000 },
        meta: true,
        given: {
          windower: ["MILLRACE_WINDOW"],
          clock: ["MILLRACE_CLOCK"],
          windowing: ["MILLRACE_ALLOWED_LATENESS", "MILLRACE_EARLY"],
          results: ["MILLRACE_META"],
        },
      },
      exitWhenIdleMs: 500,
      closeWindows: true,
      maxKeys: 1_000,
      sink: "redis",
      resultTtlMs: 604_800_000,
      store: "redis",
      input: { transport: "stream", channels: ["clicks"], partitions: 4, partitionBy: "os_name" },
      entries: { field: "payload" },
      tasks: ["{clicks:0}", "{clicks:2}"],
      start: "1763848800123-0",
      group: "mine",
      trim: true,
      log: { level: "warn", format: "json" },
    });
  });

  test("--drop-state is a list, or several, of a flow that keeps state", () => {
    const stream = "--transport=stream";
    const steps = ["--drop-state=a,b", "--drop-state=c"];
    expect(aggregatorConfig([stream, ...steps], {}).dropState).toEqual(["a", "b", "c"]);
    expect(aggregatorConfig([stream], { MILLRACE_DROP_STATE: "a,b" }).dropState).toEqual(["a", "b"]);
    expect(() => aggregatorConfig(steps, {})).toThrow("--drop-state has no effect: no state is kept");
    expect(() => inspectConfig([stream, ...steps], {})).toThrow(
      "--drop-state has no effect: it needs --diff",
    );
    expect(inspectConfig([stream, "--diff", "--window=tumbling:1h", ...steps], {}).diff).toMatchObject({
      shape: { windower: { lengthMs: 3_600_000 }, clock: { kind: "event" } },
      dropState: ["a", "b", "c"],
    });
  });

  test("flags override variables", () => {
    const env = { MILLRACE_FLOW: "echo", REDIS_CHANNEL_NAME: "clicks" };
    expect(aggregatorConfig(["--flow=mobile-counts", "--channel", "other"], env)).toMatchObject({
      flow: { choice: { name: "mobile-counts" } },
      input: { channels: ["other"] },
    });
  });

  test("a flow module's path starts at the directory in which the command was typed", () => {
    const env = { INIT_CWD: import.meta.dirname };
    expect(aggregatorConfig(["--flow=./config.test.ts"], env).flow.choice).toEqual({
      kind: "module",
      path: join(import.meta.dirname, "config.test.ts"),
      options: undefined,
    });
  });

  test.each([
    [["--transport=stream"], "redis"],
    [["--sink=redis"], "redis"],
    [["--transport=stream", "--store=none"], "none"],
    [["--store=redis"], "redis"],
  ])("with %j the store is %s", (args, store) => {
    expect(aggregatorConfig(args, {}).store).toBe(store);
  });

  test.each([
    ["--window=tumbling:10s", "--allowed-lateness=50s", "--result-ttl=59s", 60_000],
    ["--window=sliding:10s/1s", "--allowed-lateness=5s", "--result-ttl=14s", 15_000],
    ["--window=session:30s", "--allowed-lateness=1m", "--result-ttl=1m", 90_000],
    ["--window=tumbling:10s", "--early=1s", "--result-ttl=9s", 10_000],
    ["--window=tumbling:10s", "--exit-when-idle=1s", "--result-ttl=9s", 10_000],
  ])("%s %s refuses %s, and accepts %d ms", (window, rewriting, ttl, leastMs) => {
    expect(() => aggregatorConfig(["--sink=redis", window, rewriting, ttl], {})).toThrow(
      new RegExp(`^--result-ttl: .*at least .*: ${formatDuration(leastMs)}$`),
    );
    const args = ["--sink=redis", window, rewriting, `--result-ttl=${leastMs}ms`];
    expect(aggregatorConfig(args, {}).resultTtlMs).toBe(leastMs);
  });

  test("each of several partitions needs a file of its own for its late events", () => {
    const several = ["--partitions=2", "--late=late.jsonl"];
    expect(() => aggregatorConfig(several, {})).toThrow(
      /^--late: 2 partitions would write late\.jsonl; put \{part\}/,
    );
    expect(aggregatorConfig(["--partitions=2", "--late={part}.jsonl"], {}).flow.lateFile).toBe(
      "{part}.jsonl",
    );
    // The other partitions are those of other workers, which may have the same file.
    expect(() => aggregatorConfig([...several, "--tasks=1"], {})).toThrow(/^--late: 2 partitions/);
  });

  test("rows that are never rewritten may expire at any time", () => {
    const args = ["--sink=redis", "--window=tumbling:1h", "--result-ttl=1s"];
    expect(aggregatorConfig(args, {}).resultTtlMs).toBe(1_000);
    const closing = [...args, "--exit-when-idle=1s", "--close-windows"];
    expect(aggregatorConfig(closing, {}).resultTtlMs).toBe(1_000);
  });

  test("rows stay in Redis for 7 days, or longer if their window needs it", () => {
    const ttlOf = (...args: readonly string[]): number =>
      aggregatorConfig(["--sink=redis", ...args], {}).resultTtlMs;
    expect(ttlOf()).toBe(604_800_000);
    expect(ttlOf("--window=tumbling:30d", "--allowed-lateness=1d")).toBe(31 * 86_400_000);
  });

  test("rows that are never removed cause a warning at the start", () => {
    const { resultTtlMs, log } = aggregatorConfig(["--sink=redis", "--result-ttl=never"], {});
    expect(resultTtlMs).toBe(Infinity);
    expect(log.notes).toEqual([expect.stringMatching(/^rows in Redis are never removed/)]);
  });

  test.each([
    ["5s", 5_000],
    ["500ms", 500],
    ["2.01s", 2_010],
  ])("--exit-when-idle=%s is %d ms", (given, ms) => {
    expect(aggregatorConfig([`--exit-when-idle=${given}`], {}).exitWhenIdleMs).toBe(ms);
  });

  test("a number without a unit is refused with a hint", () => {
    expect(() => aggregatorConfig(["--exit-when-idle=5"], {})).toThrow(/write 5s for seconds or 5ms/);
  });

  test.each([
    [
      "--start=latest",
      "MILLRACE_START",
      "latest",
      "Pub/Sub keeps no events, so a task reads what is published while it runs (streams and Kafka keep them: --transport)",
    ],
    ["--group=mine", "MILLRACE_GROUP", "mine", "it applies to streams only, and --transport is pubsub"],
    [
      "--stream-field=x",
      "MILLRACE_STREAM_FIELD",
      "x",
      "it applies to streams only, and --transport is pubsub",
    ],
    [
      "--stream-entries=fields",
      "MILLRACE_STREAM_ENTRIES",
      "fields",
      "it applies to streams only, and --transport is pubsub",
    ],
    ["--trim", "MILLRACE_TRIM", "yes", "it applies to streams only, and --transport is pubsub"],
    [
      "--result-ttl=5s",
      "MILLRACE_RESULT_TTL",
      "5s",
      "it applies to rows in Redis only, and --sink is stdout",
    ],
    ["--close-windows", "MILLRACE_CLOSE_WINDOWS", "yes", "it needs --exit-when-idle"],
    ["--idle-from=start", "MILLRACE_IDLE_FROM", "start", "it needs --exit-when-idle"],
    ["--store-timeout=5s", "MILLRACE_STORE_TIMEOUT", "5s", "no state is kept, so there is no store"],
  ])("%s without effect is refused, and %s=%s is a warning", (flag, variable, value, why) => {
    const [name] = flag.split("=");
    expect(() => aggregatorConfig([flag], {})).toThrow(`${name} has no effect: ${why}; leave it out`);
    expect(aggregatorConfig([], { [variable]: value }).log.notes).toEqual([
      `${variable} has no effect: ${why}`,
    ]);
  });

  test("a time at which a run begins, or to which a task is reset, is written in UTC", () => {
    const stream = ["--transport=stream"];
    const time = "2025-11-28T12:00:00+02:00";
    expect(aggregatorConfig([...stream, `--start=${time}`], {}).start).toBe("2025-11-28T10:00:00.000Z");
    expect(resetConfig([...stream, `--to=${time}`], {}).to).toBe("2025-11-28T10:00:00.000Z");
    expect(resetConfig([...stream], { MILLRACE_RESET_TO: "1763848800123-0" }).to).toBe("1763848800123-0");
  });

  test.each([
    [["--to=2025-11-28T10:00:00Z"], "--to: Pub/Sub keeps no events, so there is nothing to read again"],
    [["--transport=stream", "--to=latest"], '--to: "latest" is no place to begin: give a time with its zone'],
    [["--transport=stream", "--to=17"], "--to: 17 is an offset of Kafka"],
    [["--transport=kafka", "--to=17"], "--to: an offset is that of one partition"],
    [["--transport=kafka", "--to=17-0", "--tasks=0"], "--to: 17-0 is the id of a stream's entry"],
    [
      ["--transport=kafka", "--to=17", "--tasks=0", "--results"],
      "--results: which windows begin after an offset is not known",
    ],
  ])("a reset with %j is refused", (args, message) => {
    expect(() => resetConfig(args, {})).toThrow(message);
  });

  test("the fields of an entry may be the event, whatever the field of the message is elsewhere", () => {
    const args = ["--transport=stream", "--stream-entries=fields"];
    const { entries, log } = aggregatorConfig(args, { MILLRACE_STREAM_FIELD: "payload" });
    expect(entries).toBe("fields");
    expect(log.notes).toEqual([expect.stringMatching(/^MILLRACE_STREAM_FIELD has no effect: with --stream/)]);
  });

  test("a field divides several names only if it is said", async () => {
    const dividedBy = async (...args: readonly string[]): Promise<unknown> =>
      (await command.sourceOf(aggregatorConfig(args, {}))).partitioning;
    expect(await dividedBy("--channel=a,b")).toEqual({ kind: "arbitrary" });
    expect(await dividedBy("--channel=a,b", "--partition-by=zone")).toEqual({ kind: "by", field: "zone" });
    expect(await dividedBy("--partitions=2")).toEqual({ kind: "by", field: "os_timezone" });
    expect(await dividedBy("--channel-pattern=clicks:*")).toEqual({ kind: "single" });
  });

  test("state is kept for each of several names, or for the pattern", () => {
    expect(inspectConfig(["--channel=a,b", "--tasks=1"], {}).tasks).toEqual(["b"]);
    expect(resetConfig(["--channel-pattern=clicks:*"], {}).tasks).toEqual(["pattern:clicks:*"]);
  });

  test("a boolean variable that is off causes no warning", () => {
    expect(aggregatorConfig(["--trim=false"], { MILLRACE_CLOSE_WINDOWS: "no" }).log.notes).toBeUndefined();
  });

  test.each([
    ["inspect", inspectConfig],
    ["reset", resetConfig],
    ["graph", graphConfig],
  ])("%s accepts the options of a run", (_, configOf) => {
    const args = [
      "--sink=redis",
      "--transport=stream",
      "--trim",
      "--exit-when-idle=5s",
      "--window=session:3s",
    ];
    expect(() => configOf([...args, "--flow=echo"], {})).not.toThrow();
    expect(() => configOf(["--sin=redis"], {})).toThrow("unknown option '--sin=redis'");
  });

  test.each([
    ["inspect", inspectConfig],
    ["reset", resetConfig],
  ])("%s accepts the time to wait for Redis", (_, configOf) => {
    expect(configOf([], {})).toMatchObject({ storeTimeoutMs: Infinity, redis: { connectTimeoutMs: 5_000 } });
    const env = { MILLRACE_STORE_TIMEOUT: "2s" };
    expect(configOf(["--connect-timeout=1s"], env)).toMatchObject({
      storeTimeoutMs: 2_000,
      redis: { connectTimeoutMs: 1_000 },
    });
    expect(configOf(["--store-timeout=3s"], env)).toMatchObject({ storeTimeoutMs: 3_000 });
  });

  test("workers share partitions, with a lease", () => {
    const stream = ["--transport=stream", "--partitions=8"];
    for (const input of [stream, ["--transport=kafka"]])
      expect(aggregatorConfig([...input, "--share"], {}).share).toEqual({ leaseMs: 10_000, processes: 1 });
    const env = { MILLRACE_SHARE: "true", MILLRACE_LEASE: "3s" };
    expect(aggregatorConfig(stream, env).share).toEqual({ leaseMs: 3_000, processes: 1 });
    expect(aggregatorConfig([...stream, "--share=false"], env).share).toBeUndefined();
    expect(() => aggregatorConfig([...stream, "--lease=3s"], {})).toThrow(
      "--lease has no effect: it needs --share",
    );
    expect(() => aggregatorConfig([...stream, "--share", "--lease=0.4s"], {})).toThrow("at least 500ms");
    expect(aggregatorConfig([...stream, "--processes=3"], {}).share).toMatchObject({ processes: 3 });
    expect(aggregatorConfig([...stream, "--processes=auto"], {}).share?.processes).toBe(
      availableParallelism(),
    );
    expect(() => aggregatorConfig([...stream, "--processes=0"], {})).toThrow("--processes");
    expect(aggregatorConfig([...stream, "--processes=2", "--http=0"], {}).observe.http?.port).toBe(0);
    expect(inspectConfig([...stream, "--group=mine", "--share"], {})).toMatchObject({ group: "mine" });
  });

  test.each([
    [["--file=data/events.jsonl"], /one worker reads/],
    [[], /--transport=pubsub events would be lost.*--transport=stream or kafka/],
    [["--transport=sharded"], /--transport=sharded events would be lost/],
    [["--transport=stream", "--store=none"], /leave --store=none out/],
    [["--transport=stream", "--tasks=0"], /leave --tasks out/],
    [["--transport=stream", "--exit-when-idle=1s"], /stop the workers/],
    [["--transport=stream", "--late=late.jsonl"], /the file of --late/],
  ])("with %j nothing can be shared", (args, message) => {
    for (const option of ["--share", "--processes=2"])
      expect(() => aggregatorConfig([...args, option], {})).toThrow(message);
  });

  test.each(["--allowed-lateness=1s", "--early=1s"])("with %s rows have their revision", (flag) => {
    expect(aggregatorConfig([flag], {}).flow.meta).toBe(true);
  });

  test.each([
    [["--flow=sum"], {}, '--flow: "sum" is none of mobile-counts, audience, echo, and not a path'],
    [["--flow=./nowhere.ts"], {}, /^--flow: there is no file .*nowhere\.ts/],
    [["--window", "5s"], {}, '--window: "5s" is not a window'],
    [[], { MILLRACE_WINDOW: "tumbling:5" }, 'MILLRACE_WINDOW: "5" is not a duration'],
    [["--clock=atomic"], {}, '--clock: "atomic" is not a clock'],
    [["--clock=event:at"], {}, "--clock: the events of mobile-counts have no field with their time"],
    [["--early=0s"], {}, '--early: "0s" is not a duration'],
    [["--exit-when-idle=0"], {}, '--exit-when-idle: "0" is not a duration above 0'],
    [[], { MILLRACE_EXIT_WHEN_IDLE: "soon" }, "MILLRACE_EXIT_WHEN_IDLE"],
    [["--sink=redis", "--store=none"], {}, "--store: with --sink=redis, rows are committed"],
    [["--tasks=0,1"], {}, "--tasks: there is no partition 1; with --partitions=1 they are 0 to 0"],
    [
      ["--tasks=2", "--channel=a,b"],
      {},
      "--tasks: there is no partition 2; with --channel=a,b they are 0 to 1",
    ],
    [
      ["--transport=stream", "--stream-entries=fields", "--stream-field=x"],
      {},
      "--stream-field has no effect: with --stream-entries=fields all fields of an entry are the event; leave it out",
    ],
    [["--tasks=0,x"], {}, '--tasks: "x" is not a whole number'],
    [["--partitions=2", "--channel={a}b"], {}, '--partitions: "{a}b" cannot have several partitions'],
    [["--start=yesterday"], {}, '--start: "yesterday" is no place to begin: give earliest, latest, a time'],
    [["--start=2026-11-28T10:00:00"], {}, "a time with its zone such as 2026-11-28T10:00:00Z"],
    [["--start=2999-01-01T00:00:00Z"], {}, "--start: 2999-01-01T00:00:00Z is in the future"],
    [["--transport=stream", "--start=5"], {}, "--start: 5 is an offset of Kafka"],
    [["--results-as=v2"], {}, "--results-as has no effect: it applies to rows in Redis only"],
    [["--sink=redis", "--results-as=v:2"], {}, '--results-as: "v:2" is no version'],
    [["--log-level", "loud"], {}, "--log-level"],
  ])("refuses %j with %j", (args, env, message) => {
    expect(() => aggregatorConfig(args, env)).toThrow(message);
  });
});
