import type { Logger, TimeProvider } from "@millrace/dataflow";

const LONGEST_BAR = 40;
const SHORTEST_BAR = 5;
/** Characters reserved for the numbers beside the bar. */
const BESIDE_BAR = 60;

/** Shows the publisher's progress. */
export interface Progress {
  /** Adds `lines` to the count. */
  readonly add: (lines: number) => void;
  readonly end: () => void;
}

/**
 * Progress bar on a terminal. Only this loads its library, which would slow the start of every command.
 *
 * @param total number of lines; `undefined` if unknown: shows a count instead of a bar
 */
export async function barProgress(
  stream: NodeJS.WritableStream & { readonly columns?: number },
  total: number | undefined,
  time: TimeProvider,
): Promise<Progress> {
  const { SingleBar } = await import("cli-progress");
  const count = total === undefined ? "{value} events" : "[{bar}] {percentage}% | {value}/{total} events";
  const bar = new SingleBar({
    stream,
    format: `publishing ${count} | {rate}/s`,
    barCompleteChar: "=",
    barIncompleteChar: " ",
    // The numbers beside the bar must fit too.
    barsize: Math.max(SHORTEST_BAR, Math.min(LONGEST_BAR, (stream.columns ?? Infinity) - BESIDE_BAR)),
    hideCursor: true,
    gracefulExit: false,
  });
  const rateOf = rateMeter(time);
  bar.start(total ?? 0, 0, { rate: 0 });
  return {
    add: (lines) => {
      bar.increment(lines, { rate: rateOf(lines) });
    },
    end: () => {
      bar.stop();
    },
  };
}

/** Progress as log lines, without a terminal. */
export function logProgress(logger: Logger, total: number | undefined, time: TimeProvider): Progress {
  const rateOf = rateMeter(time);
  let done = 0;
  return {
    add: (lines) => {
      done += lines;
      const perSecond = rateOf(lines);
      const of = total === undefined ? "" : ` of ${total}`;
      logger.info({ event: "progress", done, total, perSecond }, `${done}${of} events, ${perSecond}/s`);
    },
    end: () => undefined,
  };
}

/** Events per second since the last call. It measures the time, since the first and the last interval are partial. */
function rateMeter(time: TimeProvider): (lines: number) => number {
  let since = time.monotonic();
  return (lines) => {
    const now = time.monotonic();
    const rate = (lines * 1_000) / Math.max(now - since, 1);
    since = now;
    return Math.round(rate);
  };
}
