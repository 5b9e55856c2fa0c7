import { runProgram } from "@millrace/cli";
import { publishConfig } from "./config.ts";
import type { PublishProgram } from "./config.ts";

/** Runs a program that publishes as this process. @param args its arguments */
export function runPublisher(program: PublishProgram, args: readonly string[]): Promise<void> {
  return runProgram(
    program.title,
    (given, env) => publishConfig(program, given, env),
    async (context) => (await import("./publish.ts")).publish(context),
    args,
  );
}
