import type { Logger } from "@millrace/dataflow";
import type { Bed } from "./lab/bed.ts";
import type { OptionName, Settings } from "./options.ts";
import type { Figures } from "./rounds.ts";
import type { Column, Target } from "./table.ts";

/** A benchmark: its cases, the measurements of each, and the columns of its table. */
export interface Benchmark {
  readonly name: string;
  readonly description: string;
  /** What `--case` selects. */
  readonly which: string;
  /** Options beside `--case`, `--json` and those of the log. Without "rounds" each case is measured once. */
  readonly options: readonly OptionName[];
  readonly groups: readonly Group[];
  readonly columns: readonly Column[];
}

/** Cases that run in alternating turns. */
export interface Group {
  /** What `--case` selects it by. `@default each case by its own name` */
  readonly name?: string;
  readonly title?: string;
  readonly cases: readonly Case[];
}

/** A case, and what is printed of it. */
export interface Case {
  readonly case: string;
  readonly contender: string;
  readonly version?: string;
  /** One turn; the median of the rounds is printed. */
  readonly measure: (run: Run) => Promise<Figures>;
  /** Measured once, after the rounds. */
  readonly afterwards?: (run: Run) => Promise<Figures>;
  readonly ratios?: readonly Ratio[];
  readonly targets?: readonly Target[];
  /** The case that others are compared with runs always; a failure of one that is "optional" leaves only that out. */
  readonly role?: "reference" | "optional";
}

/** A figure against that of another case of the group, round by round; the median is printed. */
export interface Ratio {
  readonly name: string;
  readonly of: string;
  readonly to: string;
}

/** One run of a benchmark. */
export interface Run extends Settings {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Redis and publisher, started when they are first needed. */
  readonly bed: () => Promise<Bed>;
}
