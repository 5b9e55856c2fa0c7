import { describe, expect, test } from "@jest/globals";
import { CommandLine } from "@millrace/cli";
import { httpOptions } from "../src/options/http-options.ts";
import type { ObserveSettings } from "../src/options/http-options.ts";

function read(args: readonly string[], env: Readonly<Record<string, string>> = {}): ObserveSettings {
  const cli = new CommandLine("test", "");
  const value = httpOptions(cli);
  cli.parse(args, env);
  return value();
}

describe("the options of HTTP", () => {
  test("have nothing listen by default", () => {
    expect(read([])).toEqual({ http: undefined, trace: false });
    expect(read([], { MILLRACE_HTTP_TOKEN: "secret" })).toEqual({ http: undefined, trace: false });
  });

  test("name a port of this machine", () => {
    const http = { port: 8080, host: "127.0.0.1", token: undefined };
    expect(read(["--http=8080"])).toEqual({ http, trace: false });
    expect(read([], { MILLRACE_HTTP_PORT: "0" }).http).toEqual({ ...http, port: 0 });
    expect(read(["--trace"])).toEqual({ http: undefined, trace: true });
  });

  test("name another host, and the token that it needs", () => {
    const args = ["--http=1", "--http-host=0.0.0.0"];
    expect(read(args, { MILLRACE_HTTP_TOKEN: "secret" }).http).toEqual({
      port: 1,
      host: "0.0.0.0",
      token: "secret",
    });
  });

  test.each([
    [["--http=65536"], "--http: "],
    [["--http=page"], "--http: "],
    [["--http-host=localhost"], "--http-host has no effect: it needs --http"],
  ])("refuse %j", (args, message) => {
    expect(() => read(args)).toThrow(message);
  });
});
