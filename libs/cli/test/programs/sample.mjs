/** A program whose flag says how it ends. Not TypeScript: it starts in a third of the time, and many tests start it. */
import { clearInterval, setImmediate, setInterval, setTimeout } from "node:timers";
import { FencedError, FlowError } from "@millrace/dataflow";
import { CommandLine, drainOption, logOptions, oneOf, runProgram } from "@millrace/cli";

const ENDINGS = [
  "well",
  "fenced",
  "failed",
  "unforeseen",
  "stopped",
  "stopped-late",
  "leaking",
  "printing",
  "throwing-aside",
  "rejecting-aside",
  "hanging",
  "logging",
  "flooding",
  "broken-socket",
  "noting",
];

await runProgram(
  "sample",
  (args, env) => {
    const cli = new CommandLine("sample", "Ends.");
    const ending = cli.option(
      { flag: "--ending <how>", env: "SAMPLE_ENDING", description: "how to end", parse: oneOf(ENDINGS) },
      "well",
    );
    const drain = drainOption(cli, "5s");
    const log = logOptions(cli);
    cli.parse(args, env);
    if (ending() === "noting") cli.note("something is odd");
    return { ending: ending(), log: log(), drainTimeoutMs: drain() };
  },
  async ({ config, logger, signal }) => {
    const stopped = new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
    const alive = setInterval(() => undefined, 1_000);
    logger.info({ event: "started" }, "started");
    switch (config.ending) {
      case "well":
      case "noting":
        break;
      case "broken-socket":
        throw new FlowError("cannot write to the database", {
          cause: Object.assign(new Error("write EPIPE"), { code: "EPIPE" }),
        });
      case "fenced":
        throw new FencedError("another worker has it");
      case "failed":
        throw new FlowError("no such thing");
      case "unforeseen":
        throw new TypeError("an unexpected failure");
      case "stopped":
        await stopped;
        clearInterval(alive);
        signal.throwIfAborted();
        break;
      case "leaking":
        return;
      case "printing":
        for (let line = 0; line < 5_000; line += 1) process.stdout.write(`${"x".repeat(999)}\n`);
        clearInterval(alive);
        // Longer than open handles may keep a finished program alive.
        setTimeout(() => {
          logger.info({ event: "outlived" }, "still here");
        }, 700);
        return;
      case "throwing-aside":
        setTimeout(() => {
          throw new TypeError("from a timer");
        }, 0);
        await stopped;
        process.stdout.write("drained\n");
        break;
      case "rejecting-aside":
        void Promise.reject(new TypeError("of a promise without a handler"));
        await stopped;
        process.stdout.write("drained\n");
        break;
      case "hanging":
        process.stdout.write("x".repeat(10_000_000));
        return new Promise(() => undefined);
      case "logging":
        for (let line = 0; line < 100; line += 1) logger.info({ event: "line" }, `line ${line}`);
        process.stdout.write("worked\n");
        break;
      case "flooding":
        while (!signal.aborted) {
          process.stdout.write("water\n");
          await new Promise((resolve) => setImmediate(resolve));
        }
    }
    clearInterval(alive);
  },
);
