import type { Logger, TimeProvider } from "@millrace/dataflow";
import type { Portion } from "./count-by-time.ts";
import type { Extent } from "./extent.ts";

const LONGEST_BAR = 40;
const SHORTEST_BAR = 5;
/** Characters reserved for the numbers beside the bar. */
const BESIDE_BAR = 60;

/** Shows the publisher's progress. */
export interface Progress {
  /** Adds what was published. */
  readonly add: (portion: Portion) => void;
  readonly end: () => void;
}

/**
 * Progress bar on a terminal. Only this loads its library, which would slow the start of every command.
 *
 * @param extent `undefined` if unknown: shows a count instead of a bar
 */
export async function barProgress(
  stream: NodeJS.WritableStream & { readonly columns?: number },
  extent: Extent | undefined,
  time: TimeProvider,
): Promise<Progress> {
  const { SingleBar } = await import("cli-progress");
  const of = extent?.unit === "lines" ? "/{total}" : "";
  const bars = extent === undefined ? "" : "[{bar}] {percentage}% | ";
  const bar = new SingleBar({
    stream,
    format: `publishing ${bars}{lines}${of} events | {rate}/s`,
    barCompleteChar: "=",
    barIncompleteChar: " ",
    // The numbers beside the bar must fit too.
    barsize: Math.max(SHORTEST_BAR, Math.min(LONGEST_BAR, (stream.columns ?? Infinity) - BESIDE_BAR)),
    hideCursor: true,
    gracefulExit: false,
  });
  const rateOf = rateMeter(time);
  let done = 0;
  bar.start(extent?.total ?? 0, 0, { lines: 0, rate: 0 });
  return {
    add: ({ lines, size }) => {
      done += lines;
      bar.increment(size, { lines: done, rate: rateOf(lines) });
    },
    end: () => {
      bar.stop();
    },
  };
}

/** Progress as log lines, without a terminal. */
export function logProgress(logger: Logger, extent: Extent | undefined, time: TimeProvider): Progress {
  const rateOf = rateMeter(time);
  let [done, sum] = [0, 0];
  return {
    add: ({ lines, size }) => {
      done += lines;
      sum += size;
      const perSecond = rateOf(lines);
      const percent =
        extent === undefined ? undefined : Math.min(Math.floor((sum / extent.total) * 100), 100);
      const share = percent === undefined ? "" : ` (${percent} %)`;
      logger.info({ event: "progress", done, percent, perSecond }, `${done} events${share}, ${perSecond}/s`);
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
