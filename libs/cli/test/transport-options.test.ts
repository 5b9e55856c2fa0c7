import { describe, expect, test } from "@jest/globals";
import {
  CommandLine,
  UsageError,
  inputOptions,
  streamFieldOption,
  transportOptions,
  withoutStream,
} from "@millrace/cli";
import type { InputSettings, TransportSettings } from "@millrace/cli";

function settings(args: readonly string[], env: Readonly<Record<string, string>> = {}): TransportSettings {
  const cli = new CommandLine("test", "Tests.");
  const transport = transportOptions(cli, { channel: "orders", partitionBy: "shop" });
  cli.parse(args, env);
  return transport();
}

describe("transportOptions", () => {
  test("are one plain channel by default", () => {
    expect(settings([])).toEqual({
      transport: "pubsub",
      channel: "orders",
      partitions: 1,
      names: ["orders"],
      partitionBy: "shop",
    });
  });

  test("name the partitions", () => {
    const env = { REDIS_CHANNEL_NAME: "clicks" };
    expect(settings(["--transport=sharded", "--partitions=3"], env)).toMatchObject({
      transport: "sharded",
      names: ["{clicks:0}", "{clicks:1}", "{clicks:2}"],
    });
  });

  test("without a field in the defaults, several partitions need one", () => {
    const divided = (args: readonly string[]): string | undefined => {
      const cli = new CommandLine("test", "Tests.");
      const transport = transportOptions(cli, { channel: "orders" });
      cli.parse(args, {});
      return transport().partitionBy;
    };
    expect(divided([])).toBeUndefined();
    expect(divided(["--partitions=2", "--partition-by=shop"])).toBe("shop");
    expect(() => divided(["--partitions=2"])).toThrow(
      "--partitions: name the field that divides the events among them with --partition-by",
    );
  });

  test.each([
    [["--transport=pigeon"], '--transport: "pigeon" is none of pubsub, sharded, stream'],
    [["--partitions=0"], '--partitions: "0" is not a whole number from 1 to 16384'],
    [["--partitions=2", "--channel={x}"], '--partitions: "{x}" cannot have several partitions'],
    [["--channel="], "--channel: is empty"],
    [["--channel=a,b"], '--channel: "a,b" are several names, and this program writes to one channel'],
  ])("refuse %j", (args, message) => {
    expect(() => settings(args)).toThrow(UsageError);
    expect(() => settings(args)).toThrow(message);
  });
});

describe("inputOptions", () => {
  type Env = Readonly<Record<string, string>>;

  function input(args: readonly string[], env: Env = {}): InputSettings {
    const cli = new CommandLine("test", "Tests.");
    const settingsOf = inputOptions(cli, { channel: "orders", partitionBy: "shop" });
    cli.parse(args, env);
    return settingsOf();
  }

  const orders = {
    transport: "pubsub",
    channels: ["orders"],
    pattern: undefined,
    partitions: 1,
    names: ["orders"],
    partitionBy: "shop",
  };

  test("are one plain channel by default", () => {
    expect(input([])).toEqual(orders);
  });

  test("name the partitions of one channel", () => {
    expect(input(["--partitions=2"])).toEqual({
      ...orders,
      partitions: 2,
      names: ["{orders:0}", "{orders:1}"],
    });
  });

  test("take several names, each a partition, of which no field is known that divides them", () => {
    const several = { channels: ["a", "b:c"], names: ["a", "b:c"] };
    const args = ["--transport=stream", "--channel=a, b:c"];
    expect(input(args)).toEqual({ ...orders, ...several, transport: "stream", partitionBy: undefined });
    expect(input([...args, "--partition-by=zone"])).toMatchObject({ ...several, partitionBy: "zone" });
  });

  test("take a pattern, which is one partition", () => {
    expect(input(["--channel-pattern=clicks:*"])).toEqual({
      ...orders,
      channels: [],
      pattern: "clicks:*",
      names: ["pattern:clicks:*"],
    });
  });

  test.each<[readonly string[], Env, Partial<InputSettings>]>([
    [["--channel-pattern=a*"], { REDIS_CHANNEL_NAME: "b" }, { pattern: "a*", channels: [] }],
    [["--channel=b"], { MILLRACE_CHANNEL_PATTERN: "a*" }, { pattern: undefined, channels: ["b"] }],
  ])("let the flags %j win over %j", (args, env, expected) => {
    expect(input(args, env)).toMatchObject(expected);
  });

  test.each<[readonly string[], Env, string]>([
    [["--channel-pattern=a*", "--channel=b"], {}, "--channel-pattern: --channel names channels too"],
    [
      [],
      { MILLRACE_CHANNEL_PATTERN: "a*", REDIS_CHANNEL_NAME: "b" },
      "MILLRACE_CHANNEL_PATTERN: REDIS_CHANNEL_NAME names channels too",
    ],
    [
      ["--channel-pattern=a*", "--transport=sharded"],
      {},
      "--channel-pattern: Redis has no patterns for shard channels; name them with --channel=a,b, or use --transport=pubsub",
    ],
    [
      ["--channel-pattern=a*", "--transport=stream"],
      {},
      "--channel-pattern: Redis has no patterns for streams; name them with --channel=a,b",
    ],
    [
      ["--channel-pattern=a*", "--partitions=2"],
      {},
      "--partitions: all channels of --channel-pattern are one",
    ],
    [
      ["--channel=a,b", "--partitions=2"],
      {},
      "--partitions: Several channels or streams are a partition each",
    ],
    [["--channel=a,"], {}, "--channel: is empty"],
    [["--channel=a,a"], {}, "--channel: Channels and streams have names that differ"],
    [["--channel=a,{a}"], {}, '--channel: "a" and "{a}" cannot be read by one flow'],
  ])("refuse %j with %j", (args, env, message) => {
    expect(() => input(args, env)).toThrow(UsageError);
    expect(() => input(args, env)).toThrow(message);
  });
});

describe("streamFieldOption", () => {
  function fieldOf(args: readonly string[]): string | undefined {
    const cli = new CommandLine("test", "Tests.");
    const transport = transportOptions(cli, { channel: "orders", partitionBy: "shop" });
    const field = streamFieldOption(cli);
    cli.parse(args, {});
    withoutStream(cli, field, transport());
    return field();
  }

  test("is about streams only", () => {
    expect(fieldOf([])).toBeUndefined();
    expect(fieldOf(["--transport=stream", "--stream-field=payload"])).toBe("payload");
    expect(() => fieldOf(["--stream-field=payload"])).toThrow("it applies to streams only");
  });
});
