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

  test.each(["localhost", "127.0.0.2", "::1"])("take %s without a token", (host) => {
    expect(read(["--http=1", `--http-host=${host}`]).http?.host).toBe(host);
  });

  test.each(["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.org"])("take %s with a token only", (host) => {
    const args = ["--http=1", `--http-host=${host}`];
    expect(() => read(args)).toThrow(`--http-host: others can reach ${host}; set MILLRACE_HTTP_TOKEN`);
    expect(read(args, { MILLRACE_HTTP_TOKEN: "secret" }).http?.token).toBe("secret");
  });

  test.each([
    [["--http=65536"], "--http: "],
    [["--http=page"], "--http: "],
    [["--http-host=localhost"], "--http-host has no effect: it needs --http"],
  ])("refuse %j", (args, message) => {
    expect(() => read(args)).toThrow(message);
  });
});
