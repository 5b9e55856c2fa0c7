import type { Logger } from "@millrace/dataflow";

/** The results of one measurement by the headings of their columns, with units. */
export type Figures = Readonly<Record<string, number>>;

/** A benchmark: its cases, and the measurements of each. */
export interface Benchmark {
  readonly name: string;
  readonly description: string;
  /** How many turns each case has, if `--rounds` does not say otherwise. `@default 5` */
  readonly rounds?: number;
  readonly groups: readonly Group[];
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
  /** One turn; the median of the rounds is printed. */
  readonly measure: (run: Run) => Promise<Figures>;
  readonly ratios?: readonly Ratio[];
  /** A failure leaves only this case out. `@default it ends the run` */
  readonly optional?: boolean;
}

/** A figure against that of another case of the group, round by round; the median is printed. */
export interface Ratio {
  readonly heading: string;
  /** `@default measured by the case itself` */
  readonly of?: string;
  readonly to?: string;
  /** Its target. `@default none` */
  readonly atMost?: number | undefined;
  readonly atLeast?: number | undefined;
}

/** One run of a benchmark. */
export interface Run {
  readonly rounds: number;
  /** Multiplies the number of events: below 1 for a quick look. */
  readonly scale: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Cases that are selected together. */
export function group(choice: string, title: string, cases: readonly Case[]): Group {
  return { title, cases: cases.map((each) => ({ ...each, choice })) };
}
