import type { Logger } from "@millrace/dataflow";
import { SingleBar } from "cli-progress";

/** Shows how far the publisher has come. */
export interface Progress {
  /** So many more lines. */
  readonly add: (lines: number) => void;
  readonly end: () => void;
}

/**
 * A bar on a terminal.
 *
 * @param total lines in all; `undefined` where nobody knows, and then there is only a count
 * @param everyMs how often lines are added: makes a rate of a count
 */
export function barProgress(
  stream: NodeJS.WritableStream,
  total: number | undefined,
  everyMs: number,
): Progress {
  const count = total === undefined ? "{value} events" : "[{bar}] {percentage}% | {value}/{total} events";
  const bar = new SingleBar({
    stream,
    format: `publishing ${count} | {rate}/s`,
    barCompleteChar: "=",
    barIncompleteChar: " ",
    hideCursor: true,
    gracefulExit: false,
  });
  bar.start(total ?? 0, 0, { rate: 0 });
  return {
    add: (lines) => {
      bar.increment(lines, { rate: perSecond(lines, everyMs) });
    },
    end: () => {
      bar.stop();
    },
  };
}

/** Log lines, for where there is no terminal. */
export function logProgress(logger: Logger, total: number | undefined, everyMs: number): Progress {
  let done = 0;
  return {
    add: (lines) => {
      done += lines;
      const rate = perSecond(lines, everyMs);
      const of = total === undefined ? "" : ` of ${total}`;
      logger.info({ event: "progress", done, total, perSecond: rate }, `${done}${of} events, ${rate}/s`);
    },
    end: () => undefined,
  };
}

function perSecond(lines: number, everyMs: number): number {
  return Math.round((lines * 1_000) / everyMs);
}
