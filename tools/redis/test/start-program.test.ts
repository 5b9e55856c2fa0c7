import { describe, expect, test } from "@jest/globals";
import { startProcess, startProgram } from "@millrace/local-redis/programs";
import { join } from "node:path";

const CHATTY = join(import.meta.dirname, "programs/chatty.mjs");

describe("startProgram", () => {
  test("separates rows, log lines and other lines", async () => {
    expect(await startProgram(CHATTY, { args: ["0"] }).ended).toEqual({
      code: 0,
      output: ['{"row":1}'],
      log: [{ level: "info", event: "done", msg: "all done" }],
      complaints: ["Warning: something"],
    });
  });

  test("finds a line that is logged already", async () => {
    const program = startProgram(CHATTY, { args: ["0"] });
    await program.printed((line) => line.includes("row"));
    expect(await program.logged("done")).toMatchObject({ msg: "all done" });
    await program.ended;
    expect(await program.logged("done", ({ level }) => level === "info")).toMatchObject({ msg: "all done" });
  });

  test("reports why a program ended before the expected line", async () => {
    await expect(startProgram(CHATTY, { args: ["3"] }).logged("never")).rejects.toThrow(
      /exit code 3 before that: Warning: something \| all done/,
    );
  });
});

describe("startProcess", () => {
  test("gives a program its input, and sends it signals", async () => {
    const cat = startProcess("cat", [], { input: "a line\n" });
    expect(await cat.ended).toMatchObject({ code: 0, output: ["a line"] });
    const sleeping = startProcess("sleep", ["60"]);
    sleeping.kill("SIGTERM");
    expect(await sleeping.ended).toMatchObject({ code: null, output: [] });
  });

  test("a program that does not exist rejects all waits", async () => {
    await expect(startProcess("no-such-program", []).ended).rejects.toThrow(/no-such-program/);
  });
});
