import { describe, expect, test } from "@jest/globals";
import { createLogger } from "@millrace/cli";
import type { LogSettings, LogStream } from "@millrace/cli";

function logged(settings: LogSettings, isTTY: boolean, colours = true): string {
  let written = "";
  const stream: LogStream = {
    isTTY,
    hasColors: () => colours,
    write: (chunk) => {
      written += chunk;
    },
  };
  const logger = createLogger("mill", settings, stream);
  logger.debug({ event: "hidden" }, "not at this level");
  logger.info({ event: "ground", sacks: 3 }, "ground the grain");
  logger.warn({ event: "worn", mm: 2 }, "the stone is worn");
  return written;
}

describe("createLogger", () => {
  test("writes JSON lines if the stream is no terminal", () => {
    const [line] = logged({ level: "info", format: "auto" }, false).trimEnd().split("\n");
    expect(JSON.parse(line ?? "")).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      name: "mill",
      event: "ground",
      sacks: 3,
      msg: "ground the grain",
    });
  });

  test("writes readable lines on a terminal, over the current line", () => {
    const text = logged({ level: "info", format: "auto" }, true);
    expect(text).toContain("ground the grain");
    expect(text.startsWith("\r\u001b[K")).toBe(true);
  });

  test("uses colours only if the terminal has them and NO_COLOR is not set", () => {
    expect(logged({ level: "info", format: "auto" }, true)).toContain("\u001b[3");
    expect(logged({ level: "info", format: "auto" }, true, false)).not.toContain("\u001b[3");
  });

  test("readable lines have the message, and at level warn the fields too", () => {
    const text = logged({ level: "info", format: "pretty" }, false);
    expect(text).toMatch(/INFO: ground the grain\n/);
    expect(text).toMatch(/WARN: the stone is worn \{"mm":2\}\n/);
  });

  test("writes what has no JSON form as well as it can", () => {
    const lines: string[] = [];
    const logger = createLogger(
      "mill",
      { level: "info", format: "json" },
      { write: (line) => lines.push(line) },
    );
    logger.error({ event: "failed", err: new TypeError("no grain") }, "failed");
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    logger.warn({ event: "odd", cycle, big: 2n }, "cannot be JSON");
    const [error, odd] = lines.map((line): unknown => JSON.parse(line));
    expect(error).toMatchObject({
      err: { type: "TypeError", message: "no grain", stack: expect.stringContaining("create-logger.test") },
    });
    expect(odd).toMatchObject({ level: "warn", event: "odd", big: "2", msg: "cannot be JSON" });
  });

  test("either format can be chosen", () => {
    expect(logged({ level: "info", format: "json" }, true)).toMatch(/^\{/);
    expect(logged({ level: "info", format: "pretty" }, false)).toMatch(/^\[/);
  });

  test("logs from the chosen level on", () => {
    expect(logged({ level: "debug", format: "json" }, false)).toContain("not at this level");
    expect(logged({ level: "silent", format: "json" }, false)).toBe("");
  });
});
