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
  /** `--case` selects all its cases by it. */
  readonly name: string;
  /** `@default no heading` */
  readonly title?: string;
  readonly cases: readonly Case[];
}

/** A case, and what is printed of it. */
export interface Case {
  /** Unique in its group. `--case` selects it by it, and with it those that its ratios compare it with. */
  readonly name: string;
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

/** The cases of a group that are chosen, by its name or theirs, and those that they are compared with. */
export function selected({ name, cases }: Group, chosen: readonly string[]): readonly Case[] {
  const own = cases.filter((each) => chosen.includes(name) || chosen.includes(each.name));
  const others = own.flatMap(({ ratios = [] }) => ratios.map(({ to }) => to));
  return cases.filter((each) => own.includes(each) || others.includes(each.name));
}
