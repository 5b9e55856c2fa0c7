import { CommandLine, UsageError } from "@millrace/cli";
import type { ProgramContext } from "@millrace/cli";
import { SYSTEM_TIME, keptWindows } from "@millrace/dataflow";
import type { Dataflow, Logger, TaskId } from "@millrace/dataflow";
import type { StateGroup } from "@millrace/windowing";
import { streamWholeFrom } from "@millrace/redis-source";
import { RedisStore, inspectTask, resetTask } from "@millrace/redis-store";
import type { TaskAccessOptions } from "@millrace/redis-store";
import { formatDuration } from "@millrace/windowing/options";
import type { FlowProgram } from "../flow-program.ts";
import { loadKafka } from "../kafka.ts";
import { adminOptions, begin, printLine } from "../options/admin-options.ts";
import type { AdminConfig } from "../options/admin-options.ts";
import { flowOptions } from "../options/flow-options.ts";
import type { FlowSettings } from "../options/flow-options.ts";
import { isOffset, placeIn, requirePlace } from "../options/start-place.ts";
import { resultsAsOption } from "../options/task-options.ts";
import { outlineOf } from "../flows/load-flow.ts";

/** Options of the command `reset`. */
export interface ResetConfig extends AdminConfig {
  /** The flow's windows. */
  readonly shape: FlowSettings;
  /** Where the next run begins; `undefined`: where --start says. */
  readonly to: string | undefined;
  /** Rows go too; after `to` only those that are written again. */
  readonly results: boolean;
  /** The version of the rows that the next run writes. */
  readonly resultsAs: string | undefined;
}

/**
 * @param args after the command's name
 * @throws UsageError, HelpShown
 */
export function resetConfig(
  program: FlowProgram,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ResetConfig {
  const cli = new CommandLine(
    program.usageOf("reset"),
    "Makes a flow's tasks forget what they committed: the next run begins from the start, or where --to says. A worker that still runs is stopped. The other options of a run are accepted and ignored.",
  );
  const to = cli.option({
    flag: "--to <place>",
    env: "MILLRACE_RESET_TO",
    description:
      "streams, kafka: the next run reads again from here on: a time such as 2026-11-28T10:00:00Z, after an entry's id (streams), or at an offset (kafka, with one of --tasks); windows that open earlier keep their rows",
    parse: placeIn(),
    defaultText: "as --start of the run",
  });
  const results = cli.toggle({
    flag: "--results",
    env: "MILLRACE_RESET_RESULTS",
    description: "remove the rows from Redis too; with --to those of windows that are read again whole",
  });
  const resultsAs = resultsAsOption(cli);
  const shape = flowOptions(cli, (own) => program.choose(own, env));
  const config = adminOptions(program, cli, env, () => shape().choice);
  cli.parse(args, env);
  const place = to();
  const { input, tasks } = config();
  if (place !== undefined) {
    if (input.transport !== "stream" && input.transport !== "kafka") {
      throw new UsageError(
        `${cli.givenAs(to) ?? ""}: Pub/Sub keeps no events, so there is nothing to read again; use --transport=stream or kafka`,
      );
    }
    requirePlace("--to", place, input.transport, tasks);
    if (results() && isOffset(place)) {
      throw new UsageError("--results: which windows begin after an offset is not known; give --to a time");
    }
  }
  return { ...config(), shape: shape(), to: place, results: results(), resultsAs: resultsAs() };
}

/** Resets the tasks one after the other, and prints a line for each. */
export async function reset({ config, logger, signal }: ProgramContext<ResetConfig>): Promise<void> {
  const parts = await begin(config, "resetting", logger);
  const { id: flow, graph } = await outlineOf(config.flow, config.shape);
  const { results, storeTimeoutMs, redis, to } = config;
  const access = { logger, storeTimeoutMs, signal };
  // Of a session that begins so soon after the place, an earlier event is not read.
  const reachMs = Math.max(0, ...graph.nodes.map(({ windows }) => windows?.reachMs ?? 0));
  if (to !== undefined) {
    const sessions = graph.nodes.some(({ windows }) => windows?.sessions === true);
    requireReplaceable(graph.nodes, results, sessions);
    if (!sessions) await refuseUnknownSessions(config, flow, parts, access);
  }
  for (const part of parts) {
    const task = { flow, part };
    if (to === undefined) {
      const { fence, resultKeys } = await resetTask(redis, task, { ...access, results });
      printLine({ flow, part, fence, resultKeys });
      continue;
    }
    const wholeFrom = await wholeFromOf(config, part, to, logger);
    await warnOfUnfinished(config, task, graph.nodes, wholeFrom, logger);
    const from = (wholeFrom ?? Infinity) + reachMs;
    const version = config.resultsAs === undefined ? {} : { version: config.resultsAs };
    // With none to remove, it still looks for streams of the version that the next run appends to.
    const { fence, resultKeys, resultStreams } = await resetTask(redis, task, {
      ...access,
      start: to,
      results: { from: results ? from : Infinity, ...version },
    });
    if (resultStreams.length > 0) {
      logger.warn(
        { event: "entries-repeat", part, resultStreams },
        `the next run appends its rows to ${resultStreams.join(", ")}, where those of the same events are already: rows of a ` +
          "stream replace none. Give it --results-as=<version> to have them apart",
      );
    }
    const windowsFrom = Number.isFinite(from) ? new Date(from).toISOString() : null;
    printLine({ flow, part, fence, resultKeys, start: to, windowsFrom });
  }
}

/** @throws UsageError if rows would be there twice, or would be removed and not written again */
function requireReplaceable(nodes: Dataflow["graph"]["nodes"], results: boolean, sessions: boolean): void {
  if (results && nodes.some(({ windowsBefore = [] }) => windowsBefore.length > 0)) {
    const remedy = sessions
      ? "Reset it without --to, since it has sessions."
      : "Leave it out: rows are replaced.";
    throw new UsageError(
      "--results: the flow has windows over results of windows, and only the next run shows from which of these on it " +
        `has rows, so rows could be removed and not written again. ${remedy}`,
    );
  }
  if (sessions && !results) {
    throw new UsageError(
      "--to: sessions that are read again get new names, so their rows would be there twice; add --results, which removes " +
        "those that are written again (with --results-as, those of that version)",
    );
  }
}

/**
 * Sessions are read again only with `--results`, whatever windows the options name.
 *
 * @throws UsageError if kept state has sessions, and the flow of the options has none
 */
async function refuseUnknownSessions(
  { redis }: AdminConfig,
  flow: string,
  parts: readonly string[],
  access: TaskAccessOptions,
): Promise<void> {
  for (const part of parts) {
    const { signature = "" } = (await inspectTask(redis, { flow, part }, access)) ?? {};
    const session = [...keptWindows(signature)].find(([, windows]) => windows.startsWith("session "));
    if (session === undefined) continue;
    const [step, windows] = session;
    throw new UsageError(
      `--to: the kept state of ${part} has sessions (step "${step}": ${windows}), and the flow of these options has none. Give ` +
        "the --window of the run that kept it, and --results: sessions that are read again get new names, so their rows would be " +
        "there twice",
    );
  }
}

/** From when on (ms) the next run reads all; −Infinity: everything; `undefined`: only that run shows it. */
async function wholeFromOf(
  { redis, kafka, input }: AdminConfig,
  part: string,
  to: string,
  logger: Logger,
): Promise<number | undefined> {
  if (kafka === undefined) return streamWholeFrom(redis, part, to, { logger, time: SYSTEM_TIME });
  const { KafkaSource } = await loadKafka();
  return new KafkaSource(kafka, { topic: input.channels[0] ?? "" }).wholeFrom(part, to);
}

/** Windows that are not closed yet and are read in part get no row: neither now nor in the next run. */
async function warnOfUnfinished(
  config: AdminConfig,
  task: TaskId,
  nodes: Dataflow["graph"]["nodes"],
  wholeFrom: number | undefined,
  logger: Logger,
): Promise<void> {
  const { redis, storeTimeoutMs } = config;
  const before = await inspectTask(redis, task, { logger, storeTimeoutMs });
  const { commitNumber = 0, watermark = -Infinity } = before ?? {};
  if (commitNumber === 0 || wholeFrom === undefined || wholeFrom === -Infinity) return;
  const reaches = await Promise.all(
    nodes.map(async ({ id, past, windows }) => {
      if (windows === undefined) return [];
      const { sessions, reachMs, hasUnfinished } = windows;
      const groups = sessions ? await groupsOf(config, task, [id, ...(past?.formerly ?? [])], logger) : [];
      return hasUnfinished(wholeFrom + reachMs, watermark, groups) ? [reachMs] : [];
    }),
  );
  if (reaches.flat().length === 0) return;
  const reachMs = Math.max(...reaches.flat());
  const [from, until] = [wholeFrom + reachMs, watermark].map((time) =>
    Number.isFinite(time) ? new Date(time).toISOString() : "the start",
  );
  logger.warn(
    {
      event: "windows-unfinished",
      part: task.part,
      wholeFrom,
      watermark: Number.isFinite(watermark) ? watermark : null,
    },
    `windows that opened before ${from ?? ""} and were to close after ${until ?? ""} have no final row yet, and get none: ` +
      "what was counted in them is forgotten. Reset to a time before they opened to have them, too" +
      (reachMs === 0 ? "" : `, of sessions their gap (${formatDuration(reachMs)}) earlier than that`),
  );
}

/** Kept groups of one step, by one of its ids. */
async function groupsOf(
  { redis, storeTimeoutMs }: AdminConfig,
  task: TaskId,
  ids: readonly string[],
  logger: Logger,
): Promise<readonly StateGroup[]> {
  const store = new RedisStore(redis, { logger, storeTimeoutMs });
  try {
    const head = await store.look(task, (group) => ids.includes(group.slice(0, group.indexOf("/"))));
    return [...(head?.groups ?? [])].map(([group, fields]) => [group.slice(group.indexOf("/") + 1), fields]);
  } finally {
    await store.close();
  }
}
