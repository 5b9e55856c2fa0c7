import type { Logger } from "@millrace/dataflow";
import type { Column } from "./table.ts";

/** The results of one measurement by name; names include units. */
export type Figures = Readonly<Record<string, number>>;

/** A benchmark: its cases, the measurements of each, and the columns of its table. */
export interface Benchmark {
  readonly name: string;
  readonly description: string;
  /** How many turns each case has, if `--rounds` does not say otherwise. `@default 5` */
  readonly rounds?: number;
  readonly groups: readonly Group[];
  readonly columns: readonly Column[];
}

/** Cases that run in alternating turns, and have a table of their own. */
export interface Group {
  readonly title?: string;
  readonly cases: readonly Case[];
}

/** A case, and what is printed of it. */
export interface Case {
  readonly name: string;
  /** What `--case` selects it by. `@default it runs whenever another case of its group does` */
  readonly choice?: string;
  readonly contender: string;
  readonly version?: string | undefined;
  /** One turn; the median of the rounds is printed. */
  readonly measure: (run: Run) => Promise<Figures>;
  readonly ratios?: readonly Ratio[];
  readonly targets?: readonly Target[];
  /** A failure leaves only this case out. `@default it ends the run` */
  readonly optional?: boolean;
}

/** A figure against that of another case of the group, round by round; the median is printed. */
export interface Ratio {
  readonly name: string;
  readonly of: string;
  readonly to: string;
}

/** What a ratio has to be. */
export interface Target {
  readonly ratio: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** One run of a benchmark. */
export interface Run {
  readonly rounds: number;
  /** Multiplies the number of events: below 1 for a quick look. */
  readonly scale: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Cases that are selected together, each with the ratio of one of its figures to that of the first case. */
export function group(
  choice: string,
  title: string,
  ratio: Omit<Ratio, "to">,
  cases: readonly Case[],
): Group {
  const to = cases[0]?.name ?? "";
  const compared = (each: Case): Case => ({
    ...each,
    choice,
    ratios: [{ ...ratio, to }, ...(each.ratios ?? [])],
  });
  return { title, cases: cases.map(compared) };
}
