import { describe, expect, it } from "@jest/globals";
import { RedisPubSubSink, RedisRefusedError } from "@millrace/redis-source";
import { partContext } from "../support/part-context.ts";
import { infoReply, scriptedRedis } from "../support/scripted-server.ts";
import { rows, sinkBench } from "../support/sink-bench.ts";

const bench = sinkBench();

describe("a script", () => {
  it("that is no longer permitted is replaced by pipelines", async () => {
    const { all, caughtUp } = await bench.listen();
    const user = await bench.user("demoted", "+publish", "+@scripting");
    const { sink, part } = await bench.open({}, { user });
    await bench.control.acl("SETUSER", user.username, "-@scripting");
    const sent = rows(5_000);
    // Two batches in flight; the write after them is no longer sent by scripts.
    await part.writeBatch(sent.slice(0, 1_900));
    await part.writeBatch(sent.slice(1_900));
    await caughtUp();
    expect(all.map(String)).toEqual(sent);
    expect(sink.stats()).toMatchObject({ published: 5_000, resent: 0 });
  });

  it("that fails is not sent again before the next one has been answered", async () => {
    const steps: string[] = [];
    const failing = await scriptedRedis(([name = "", ...args], socket) => {
      if (name === "info") return infoReply("7.0.0");
      if (name === "eval") {
        const messages = args.length - 3;
        if (messages === 0 || args[0]?.includes("acl_check_cmd") === true) return "*0\r\n";
        if (!steps.includes("refused")) {
          steps.push("refused");
          return "-NOPERM not any more\r\n";
        }
        // Long enough for anything sent in between to arrive.
        void bench.control.ping().then(async () => {
          for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
          steps.push("taken");
          socket.write(`*${messages}\r\n${":1\r\n".repeat(messages)}`);
        });
        return undefined;
      }
      if (name !== "publish") return "+OK\r\n";
      if (steps.at(-1) !== "published") steps.push("published");
      return ":1\r\n";
    });
    bench.later(() => failing.close());
    const { part } = await bench.open({}, { port: failing.port });
    await part.writeBatch(rows(1_900));
    expect(steps).toEqual(["refused", "taken", "published"]);
  });

  it("carries no more rows than a call takes", async () => {
    const { all, caughtUp } = await bench.listen();
    const { sink, part } = await bench.open({ maxInFlightBytes: 1e9 });
    const sent = rows(150_000);
    await part.writeBatch(sent);
    await caughtUp();
    expect(sink.stats().published).toBe(150_000);
    expect(all.map(String)).toEqual(sent);
  });

  it("is one command for many rows", async () => {
    const { part } = await bench.open();
    await bench.control.config("RESETSTAT");
    await part.writeBatch(rows(3_000));
    const stats = await bench.control.info("commandstats");
    const calls = (command: string): number =>
      Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    expect(calls("publish")).toBe(3_000);
    expect(calls("eval")).toBeGreaterThan(0);
    expect(calls("eval")).toBeLessThan(10);
  });

  it.each([
    ["pubsub", "PUBLISH"],
    ["sharded", "SPUBLISH"],
  ] as const)(
    "on %s that may not publish is refused at the start, with the command",
    async (transport, name) => {
      const user = await bench.user("scripter", "+@scripting", "+cluster");
      const opening = bench.open({ transport }, { user });
      await expect(opening).rejects.toBeInstanceOf(RedisRefusedError);
      await expect(opening).rejects.toThrow(new RegExp(`\\b${name} on clicks.*ACL SETUSER`));
    },
  );

  it("on a channel without permission is refused at the start", async () => {
    const user = await bench.user("elsewhere", "+@scripting", "+publish", "resetchannels", "&others");
    await expect(bench.open({}, { user })).rejects.toThrow(/PUBLISH on clicks/);
  });

  it.each(["HSET", "PEXPIRE", "HGETALL", "HDEL"])(
    "of a publisher that numbers and may not run %s is logged at the start",
    async (name) => {
      const records = ["HSET", "PEXPIRE", "HGETALL", "HDEL"].filter((each) => each !== name);
      const user = await bench.user(
        "forgetful",
        "+eval",
        "+publish",
        "allkeys",
        ...records.map((each) => `+${each}`),
      );
      const context = partContext();
      const sink = new RedisPubSubSink(
        { host: "127.0.0.1", port: bench.server.port, ...user },
        { channel: "clicks", frames: true },
      );
      const part = await sink.buildPart("0", undefined, context);
      bench.later(() => part.close());
      expect(context.logger.of("no-producer-record")[0]?.message).toContain(name);
    },
  );
});
