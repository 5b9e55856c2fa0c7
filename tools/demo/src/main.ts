import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "@millrace/cli";
import { startProgram } from "@millrace/local-redis/programs";
import type { LogLine, StartedProgram } from "@millrace/local-redis/programs";
import { bar, readable } from "./bars.ts";
import { demoConfig } from "./demo-config.ts";
import { demoRedis } from "./demo-redis.ts";
import { reconcileReports } from "./reconciliation.ts";
import { Screen } from "./screen.ts";
import { showReconciliation } from "./show-reconciliation.ts";
import { UnaccountedError } from "./unaccounted-error.ts";
import { WindowView, parseRow } from "./window-view.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** The demo from its source starts those of the programs, its build their builds. */
const PROGRAM = import.meta.filename.endsWith(".ts") ? "src/main.ts" : "dist/main.js";
const EVENTS_FILE = join(ROOT, "data/events.jsonl");
const BAR_WIDTH = 30;
/** Events in a message. Messages of several are numbered, so that a window knows whether it is complete. */
const BATCH = 16;

const people = process.stdout.isTTY;
const screen = new Screen(people ? process.stdout : process.stderr);

await runProgram("demo", demoConfig, async ({ config, signal }) => {
  const started: StartedProgram[] = [];
  const redis = await demoRedis(config.namedRedis);
  signal.addEventListener("abort", () => void stopInOrder(started));
  const start = (app: string, args: readonly string[], hooks: Hooks): StartedProgram => {
    signal.throwIfAborted();
    const program = startProgram(join(ROOT, `apps/${app}/${PROGRAM}`), {
      args: [...args, "--channel", channel],
      env: redis.env,
      // The demo handles Ctrl-C: it stops the two programs in order.
      detached: true,
      onLog: (line) => {
        if (line.level === "warn" || line.level === "error") screen.line(`  ${app}: ${line.msg}`);
        hooks.onLog?.(line);
      },
      ...(hooks.onOutput === undefined ? {} : { onOutput: hooks.onOutput }),
    });
    started.push(program);
    return program;
  };
  // A channel of its own, so that events of other programs on the same Redis are not mixed in.
  const channel = `millrace_demo_${process.pid}`;

  try {
    const events = lineCount(await readFile(EVENTS_FILE));
    const rate = Math.ceil(events / config.seconds);
    title("Millrace: clicks in, windows out, every event accounted for");
    const view = new WindowView(screen);
    const flow = ["--flow", "mobile-counts", "--window", config.window, "--meta"];
    const http = ["--http", String(config.httpPort)];
    const ends = config.keep ? [] : ["--exit-when-idle", `${config.idleMs}ms`];
    const aggregator = start("aggregator", [...flow, ...http, ...ends], {
      onOutput: (line) => {
        const row = parseRow(line);
        if (!people) process.stdout.write(`${line}\n`);
        else if (row !== undefined) view.add(row);
      },
    });
    const page = await aggregator.logged("http-listening");
    say(`Page: ${String(page["url"])}`);
    say(`Redis: ${redis.where}; the events travel on its Pub/Sub channel ${channel}.`);
    await aggregator.logged("subscribed");
    say(
      `Aggregator (process ${aggregator.pid ?? "?"}): subscribed; counts mobile events by time zone, ${config.window}.`,
    );

    const publisher = start(
      "publisher",
      [
        "--file",
        EVENTS_FILE,
        "--batch",
        String(BATCH),
        "--rate",
        String(rate),
        `--loop=${config.keep}`,
        "--progress-every",
        "250ms",
      ],
      {
        onLog: (line) => {
          if (line.event !== "progress") return;
          screen.status(config.keep ? rateLine(line) : progressLine(line, events));
        },
      },
    );
    say(
      `Publisher (process ${publisher.pid ?? "?"}): replays ${readable(events)} events of data/events.jsonl, ${readable(rate)} a second.`,
    );
    if (config.keep) say("It begins again after the last one, until Ctrl-C.");
    say(
      "Windows close by the clock, even without another event. The first may be short: it had begun before the demo.",
    );
    screen.line();

    const published = await publisher.logged("report");
    screen.status("");
    if (!signal.aborted && !config.keep) {
      say(
        `The replay is over. After ${config.idleMs / 1_000} s without events the aggregator ends its input and closes its open windows.`,
      );
    }
    const aggregated = await aggregator.logged("report");
    const ended = await Promise.all(started.map(({ ended }) => ended));
    view.flush();
    const sums = reconcileReports(published, aggregated);
    if (sums.published < events && !config.keep) {
      say(`Stopped after ${readable(sums.published)} of ${readable(events)} events.`);
    }
    title("Where every event went");
    showReconciliation(sums, screen);
    if (sums.unaccounted !== 0) throw new UnaccountedError(`${sums.unaccounted} events are unaccounted for`);
    const codes = ended.map(({ code }) => String(code));
    if (codes.some((code) => code !== "0"))
      throw new Error(`the programs ended with ${codes.join(" and ")}, not 0`);
    signal.throwIfAborted();
    screen.line();
    say("Every event is accounted for. To try it yourself, in two terminals:");
    say("  npx nx run aggregator:serve --http=9100");
    say("  npx nx run publisher:serve --rate=1000");
  } catch (error) {
    // Programs that were asked to stop may end before the log lines that the demo waits for.
    signal.throwIfAborted();
    throw error;
  } finally {
    screen.status("");
    await stopInOrder(started);
    await redis.stop();
  }
});

/** Stops the publisher first, so that the aggregator can read everything that was published. */
async function stopInOrder(started: readonly StartedProgram[]): Promise<void> {
  for (const program of started.toReversed()) {
    program.kill("SIGTERM");
    await program.ended;
  }
}

interface Hooks {
  readonly onOutput?: (line: string) => void;
  readonly onLog?: (line: LogLine) => void;
}

function title(text: string): void {
  screen.line();
  screen.line(screen.style("bold", text));
  screen.line();
}

function say(text: string): void {
  screen.line(`  ${text}`);
}

function rateLine({ done, perSecond }: LogLine): string {
  return `  publishing: ${readable(numberOf(done))} events so far, ${readable(numberOf(perSecond))}/s`;
}

function progressLine({ done, perSecond }: LogLine, total: number): string {
  const sent = numberOf(done);
  const rate = numberOf(perSecond);
  return `  publishing ${bar(sent, total, BAR_WIDTH).padEnd(BAR_WIDTH, "░")} ${readable(sent)}/${readable(total)} events, ${readable(rate)}/s`;
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function lineCount(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) lines += 1;
  return lines;
}
