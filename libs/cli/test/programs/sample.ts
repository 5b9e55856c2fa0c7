/** A program that ends in the way that its flag names. */
import { FencedError, FlowError } from "@millrace/dataflow";
import { CommandLine, logOptions, oneOf, runProgram } from "@millrace/cli";

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
  "flooding",
] as const;

await runProgram(
  "sample",
  (args, env) => {
    const cli = new CommandLine("sample", "Ends.");
    const ending = cli.option(
      { flag: "--ending <how>", env: "SAMPLE_ENDING", description: "how to end", parse: oneOf(ENDINGS) },
      "well",
    );
    const log = logOptions(cli);
    cli.parse(args, env);
    return { ending: ending(), log: log() };
  },
  async ({ config, logger, signal }) => {
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
    const alive = setInterval(() => undefined, 1_000);
    logger.info({ event: "started" }, "started");
    switch (config.ending) {
      case "well":
        break;
      case "fenced":
        throw new FencedError("another worker has it");
      case "failed":
        throw new FlowError("no such thing");
      case "unforeseen":
        throw new TypeError("nobody thought of this");
      case "stopped":
        await stopped;
        signal.throwIfAborted();
        break;
      case "leaking":
        return;
      case "printing":
        for (let line = 0; line < 5_000; line += 1) process.stdout.write(`${"x".repeat(999)}\n`);
        clearInterval(alive);
        // Longer than what is left open may hold up the end of a program.
        setTimeout(() => {
          logger.info({ event: "outlived" }, "still here");
        }, 700);
        return;
      case "throwing-aside":
        setTimeout(() => {
          throw new TypeError("from a timer");
        }, 0);
        await stopped;
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
