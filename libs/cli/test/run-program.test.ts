import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { startProgram } from "@millrace/local-redis/programs";
import type { StartedProgram } from "@millrace/local-redis/programs";

const SAMPLE = join(import.meta.dirname, "programs/sample.mjs");
const PARENT = join(import.meta.dirname, "programs/parent.mjs");

function sample(ending: string, ...args: string[]): StartedProgram {
  return startProgram(SAMPLE, { args: [`--ending=${ending}`, ...args] });
}

describe("runProgram", () => {
  test.each([
    ["leaking", 0, undefined],
    ["fenced", 75, "MILLRACE_FENCED"],
    ["unforeseen", 1, "MILLRACE_UNEXPECTED"],
    ["throwing-aside", 1, "MILLRACE_UNEXPECTED"],
  ])("a program that ends %s exits with %d", async (ending, exitCode, errorCode) => {
    const { code, log, complaints } = await sample(ending).ended;
    expect(code).toBe(exitCode);
    expect(log.find(({ level }) => level === "error")?.["code"]).toBe(errorCode);
    expect(complaints).toEqual([]);
  });

  test("a known failure is one line; its stack is logged at level debug", async () => {
    const { code, log } = await sample("failed", "--log-level=debug").ended;
    expect(code).toBe(1);
    const [failure, ...others] = log.filter(({ level }) => level === "error");
    expect(others).toEqual([]);
    expect(failure).toMatchObject({ code: "MILLRACE_FLOW_INVALID", msg: "no such thing" });
    expect(failure).not.toHaveProperty("stack");
    expect(JSON.stringify(log.filter(({ level }) => level === "debug"))).toContain("sample.mjs:");
  });

  test("an invalid option is named, and nothing is started", async () => {
    const { code, log, complaints } = await sample("badly").ended;
    expect(code).toBe(2);
    expect(log).toEqual([]);
    expect(complaints.join("\n")).toMatch(
      /^sample: --ending: "badly" is none of well, .*\nSee sample --help/,
    );
  });

  test("--help is on stdout, with exit code 0", async () => {
    const { code, output, log } = await startProgram(SAMPLE, { args: ["--help"] }).ended;
    expect(code).toBe(0);
    expect(output[0]).toBe("Usage: sample [options]");
    expect(log).toEqual([]);
  });

  test("any number of signals, up to its last moment, is one stop", async () => {
    const program = sample("stopped");
    await program.logged("started");
    program.kill("SIGINT");
    while (program.kill("SIGTERM")) await setImmediate();
    const { code, log } = await program.ended;
    expect(code).toBe(0);
    expect(log.filter(({ event }) => event === "stopping")).toHaveLength(1);
    expect(log.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("it ends only after its reader has read all output", async () => {
    const args = [SAMPLE, "--ending=printing"];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, NODE_OPTIONS: undefined, MILLRACE_LOG_FORMAT: "json" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const closed = once(child, "close");
    let log = "";
    // The reader starts only after the time for open handles has passed.
    for await (const chunk of child.stderr) {
      log += String(chunk);
      if (log.includes("outlived")) break;
    }
    expect(log).toContain("outlived");
    let lines = 0;
    for await (const chunk of child.stdout) lines += String(chunk).split("\n").length - 1;
    expect(lines).toBe(5_000);
    expect((await closed)[0]).toBe(0);
  });

  test("a reader that closes the pipe ends it without an error", async () => {
    const program = sample("flooding");
    await program.printed((line) => line === "water");
    program.closeOutput();
    const { code, complaints, log } = await program.ended;
    expect(code).toBe(0);
    expect(complaints).toEqual([]);
    expect(log.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("an uncaught error", () => {
  test.each(["throwing-aside", "rejecting-aside"])(
    "%s: the work is finished first, the exit code is 1",
    async (ending) => {
      const { code, log, output, complaints } = await sample(ending).ended;
      expect(code).toBe(1);
      expect(output).toEqual(["drained"]);
      expect(log.filter(({ level }) => level === "error")).toEqual([
        expect.objectContaining({ code: "MILLRACE_UNEXPECTED" }),
      ]);
      expect(complaints).toEqual([]);
    },
  );
});

describe("a full disk", () => {
  test("of standard output fails the program, with a code and one line", async () => {
    const flooding = startProgram(SAMPLE, { args: ["--ending=flooding"], outputTo: "/dev/full" });
    const { code, log, output, complaints } = await flooding.ended;
    expect(code).toBe(1);
    expect(log.filter(({ level }) => level === "error")).toEqual([
      expect.objectContaining({
        code: "MILLRACE_SINK_FAILED",
        msg: expect.stringContaining("standard output cannot be written: ENOSPC"),
      }),
    ]);
    expect({ output, complaints }).toEqual({ output: [], complaints: [] });
  });

  test("of the log does not fail the program", async () => {
    const disk = await open("/dev/full", "w");
    const args = [SAMPLE, "--ending=logging"];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, NODE_OPTIONS: undefined, MILLRACE_LOG_FORMAT: "json" },
      stdio: ["ignore", "pipe", disk.fd],
    });
    let output = "";
    child.stdout?.on("data", (chunk) => (output += String(chunk)));
    const [code] = (await once(child, "close")) as [unknown];
    await disk.close();
    expect({ output, code }).toEqual({ output: "worked\n", code: 0 });
  });
});

describe("a program that does not stop", () => {
  test("is ended after its time, and reports how much output is missing", async () => {
    const program = sample("hanging", "--drain-timeout=1ms");
    program.pauseOutput();
    await program.logged("started");
    program.kill("SIGTERM");
    const failure = await program.logged("failed");
    expect(failure).toMatchObject({ level: "error", code: "MILLRACE_DRAIN_TIMEOUT" });
    expect(failure.msg).toMatch(/did not end within 3001 ms .* standard output lacks its last \d+ /);
    program.resumeOutput();
    expect((await program.ended).code).toBe(1);
  });
});

describe("a broken pipe that is not standard output", () => {
  test("is an ordinary failure", async () => {
    const { code, log } = await sample("broken-socket").ended;
    expect(code).toBe(1);
    expect(log.filter(({ level }) => level === "error").map(({ msg }) => msg)).toEqual([
      "cannot write to the database",
    ]);
  });

  test("does not fail the program if it is the log's", async () => {
    const args = [SAMPLE, "--ending=stopped"];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, NODE_OPTIONS: undefined },
      stdio: ["ignore", "ignore", "pipe"],
    });
    await once(child.stderr, "data");
    child.stderr.destroy();
    // A log line without a reader does not change how the program ends.
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

describe("a warning about the options", () => {
  test("is the first line of the log", async () => {
    const { code, log } = await sample("noting").ended;
    expect(code).toBe(0);
    expect(log[0]).toMatchObject({ level: "warn", event: "option-noted", msg: "something is odd" });
  });
});

describe("the hook of a preloaded module", () => {
  test("is called with a valid configuration, and not for an invalid one", async () => {
    const front = `data:text/javascript,globalThis[Symbol.for("millrace.before-program")] =
      async ({ ending }) => console.log("before " + ending)`;
    const output = async (ending: string): Promise<string> => {
      const child = spawn(process.execPath, ["--import", front, SAMPLE, `--ending=${ending}`], {
        env: { ...process.env, NODE_OPTIONS: undefined },
        stdio: ["ignore", "pipe", "ignore"],
      });
      return (await child.stdout.setEncoding("utf8").toArray()).join("");
    };
    expect(await output("well")).toBe("before well\n");
    expect(await output("badly")).toBe("");
  });
});

describe("a child program", () => {
  test("ends when its parent is killed", async () => {
    const args = [PARENT, SAMPLE];
    const parent = spawn(process.execPath, args, {
      env: { ...process.env, NODE_OPTIONS: undefined },
      stdio: ["ignore", "pipe", "inherit"],
    });
    // The child inherits the parent's output, so the pipe closes when both are gone.
    const closed = once(parent.stdout, "end");
    await once(parent.stdout, "data");
    parent.kill("SIGKILL");
    await closed;
    expect(parent.signalCode ?? (await once(parent, "exit"))[1]).toBe("SIGKILL");
  });
});
