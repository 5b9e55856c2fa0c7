import { describe, expect, test } from "@jest/globals";
import { CommandLine, UsageError, transportOptions } from "@millrace/cli";
import type { TransportSettings } from "@millrace/cli";

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
  ])("refuse %j", (args, message) => {
    expect(() => settings(args)).toThrow(UsageError);
    expect(() => settings(args)).toThrow(message);
  });
});
