import { get } from "node:http";
import { startProgram } from "@millrace/local-redis/programs";
import type { LogLine, StartedProgram, StartProcessOptions } from "@millrace/local-redis/programs";
import { join } from "node:path";
import type { Figures } from "../benchmark.ts";
import { CHANNEL } from "./bed.ts";
import type { Bed, Load } from "./bed.ts";
import { ROOT, WINDOW_MS } from "./tally.ts";

// Children are started from the build: a start takes a third of the time, and it is what users run.
export const AGGREGATOR = join(ROOT, "apps/aggregator/dist/main.js");
export const PUBLISHER = join(ROOT, "apps/publisher/dist/main.js");

/** A program that counts mobile events by time zone in tumbling windows, and can be compared with others. */
export interface Contender {
  readonly name: string;
  readonly start: (bed: Bed, load: Load, options: StartProcessOptions) => StartedProgram;
  /** Destination of its rows. @default "stdout" */
  readonly rows?: "stdout" | "redis";
  /** How many processes it has besides its own. @default none */
  readonly processes?: number;
  /** Share of a core that it may take while it has nothing to do: some ask for events over and over. @default 0 */
  readonly idling?: number;
  /** Events that it gets for each that the others get: a slow one would take for ever. @default 1 */
  readonly share?: number;
}

/** The real aggregator, with its defaults except for what is given. */
export function millrace(name: string, more: readonly string[] = [], rows?: "redis"): Contender {
  const start: Contender["start"] = (bed, load, options) => {
    const args = [...inputOf(load), `--window=tumbling:${WINDOW_MS}ms`, "--log-level=warn", ...more];
    return startProgram(AGGREGATOR, { ...options, args, env: bed.env });
  };
  return { name, start, ...(rows && { rows }) };
}

/** CPU that a server with listeners may take while no event comes, as a share of a core. */
const SERVING = 0.2;

/** An aggregator with `--http`, to whose stream of events clients in this process listen, as open pages do. */
export function withListeners(count: number, { start, ...contender }: Contender): Contender {
  const listen = ({ url }: LogLine): void => {
    const stream = new URL("/api/stream", String(url));
    for (let client = 0; client < count; client++)
      get(stream, (response) => response.resume()).on("error", () => undefined);
  };
  return {
    ...contender,
    idling: SERVING,
    start: (...given) => {
      const program = start(...given);
      // If it ends before, the trial that uses it reports that.
      program.logged("http-listening").then(listen, () => undefined);
      return program;
    },
  };
}

/** One of this project's own programs; its arguments are Redis or Kafka, channel, and what `more` gives. */
export function ownProgram(
  name: string,
  program: string,
  more: (load: Load) => readonly (string | number)[] = () => [],
): Contender {
  const start: Contender["start"] = ({ url, broker }, load, options) => {
    const server = load.transport === "kafka" ? broker : url;
    return startProgram(programFile(program), {
      ...options,
      args: [server, CHANNEL, ...more(load)].map(String),
    });
  };
  return { name, start };
}

/** Runs one of this project's programs that measures itself. @returns the figures that it prints first */
export async function selfMeasured(program: string, ...args: readonly (string | number)[]): Promise<Figures> {
  const started = startProgram(programFile(program), { args: args.map(String) });
  return JSON.parse(await started.printed(() => true)) as Figures;
}

/** How the publisher is run. */
interface PublishOptions {
  readonly wait?: string;
  readonly rate?: number | undefined;
  readonly file?: string;
}

/**
 * Runs the publisher until it has published this number of events. @returns how many it sent in a second
 *
 * @param wait for a subscriber. `@default "60s"`
 * @param rate events per second. `@default as fast as Redis takes them`
 * @param file of which the events are the lines. `@default the events are generated`
 */
export async function publish(
  { programs, env }: Bed,
  load: Load,
  events: number,
  { wait = "60s", rate, file }: PublishOptions = {},
): Promise<number> {
  const args = [
    ...inputOf(load),
    ...(file === undefined ? [`--generate=${rate ?? "max"}`, `--events=${events}`] : [`--file=${file}`]),
    ...(load.batch === undefined ? [] : [`--batch=${load.batch}`]),
    ...(load.transport === "pubsub" || load.transport === "sharded" ? [`--wait-for-subscriber=${wait}`] : []),
  ];
  const program = startProgram(PUBLISHER, { args, env });
  programs.push(program);
  const [report, { code }] = await Promise.all([program.logged("report"), program.ended]);
  if (code !== 0) throw new Error(`The publisher ended with exit code ${String(code)}.`);
  if (report["published"] !== events) throw new Error(`It published ${String(report["published"])} events.`);
  return Number(report["perSecond"]);
}

/** What publisher and aggregator have to agree on. */
export function inputOf({ transport, partitions = 1, partitionBy = "os_timezone" }: Load): readonly string[] {
  const input = [`--transport=${transport}`, `--channel=${CHANNEL}`, `--partition-by=${partitionBy}`];
  return transport === "kafka" ? input : [...input, `--partitions=${partitions}`];
}

/** One of this project's own child programs, and anything else in its folder. */
export function programFile(name: string): string {
  return join(ROOT, "tools/bench/dist/programs", `${name}.js`);
}
