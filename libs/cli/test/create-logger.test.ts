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
  test("writes JSON lines where no person looks", () => {
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

  test("writes for people on a terminal, over whatever stands on the line", () => {
    const text = logged({ level: "info", format: "auto" }, true);
    expect(text).toContain("ground the grain");
    expect(text.startsWith("\r\u001b[K")).toBe(true);
  });

  test("has colours only where the terminal wants them, which NO_COLOR says too", () => {
    expect(logged({ level: "info", format: "auto" }, true)).toContain("\u001b[3");
    expect(logged({ level: "info", format: "auto" }, true, false)).not.toContain("\u001b[3");
  });

  test("people get the sentence, and the fields where something is wrong", () => {
    const text = logged({ level: "info", format: "pretty" }, false);
    expect(text).toMatch(/INFO: ground the grain\n/);
    expect(text).toMatch(/WARN: the stone is worn \{"mm":2\}\n/);
  });

  test("the format can be chosen either way", () => {
    expect(logged({ level: "info", format: "json" }, true)).toMatch(/^\{/);
    expect(logged({ level: "info", format: "pretty" }, false)).toMatch(/^\[/);
  });

  test("the level decides", () => {
    expect(logged({ level: "debug", format: "json" }, false)).toContain("not at this level");
    expect(logged({ level: "silent", format: "json" }, false)).toBe("");
  });
});
