import { CommandLine, integer, logOptions, runProgram } from "@millrace/cli";

await runProgram(
  "greet",
  (args, env) => {
    const cli = new CommandLine("greet", "Says hello.");
    const times = cli.option(
      { flag: "--times <n>", env: "GREET_TIMES", description: "how often", parse: integer(1, 9) },
      1,
    );
    const log = logOptions(cli);
    cli.parse(args, env);
    return { times: times(), log: log() };
  },
  ({ config }) => {
    process.stdout.write("hello\n".repeat(config.times));
    return Promise.resolve();
  },
);
