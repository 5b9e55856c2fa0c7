import { readFileSync } from "node:fs";
import { DurationError } from "@millrace/windowing/options";
import { Command, CommanderError, Option } from "commander";
import { HelpShown, UsageError } from "./errors.ts";
import { boolean } from "./parsers.ts";
import type { Parser } from "./parsers.ts";

/** An option: a flag, an environment variable, or both. The flag wins. */
export interface OptionSpec<T> {
  /** Flag and a placeholder for its value, such as `--rate <events>`. Absent: environment only, as for secrets. */
  readonly flag?: string;
  /** Environment variable. Empty counts as not set. Absent: a flag only, as for options of a user's own module. */
  readonly env?: string;
  readonly description: string;
  readonly parse: Parser<T>;
  /** Text of the default in the help, if the value itself is unclear. */
  readonly defaultText?: string;
  /**
   * Whether to ignore the variable, because an option that takes precedence was given. Called after all flags and the
   * variables declared earlier are read. `@default never`
   */
  readonly unless?: () => boolean;
}

/** The values of the options, once {@link CommandLine.parse} has run. */
export type Value<T> = () => T;

/** The origin of a value. */
interface Given {
  readonly source: "flag" | "variable";
  /** The flag or the variable. */
  readonly name: string;
}

interface Declared {
  readonly spec: OptionSpec<unknown>;
  readonly option: Option | undefined;
  readonly take: (given: unknown, by: Given) => void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The options of one program. Each declaration returns a function that returns the value, typed by its parser. Nothing
 * is read before {@link CommandLine.parse}.
 *
 * @example
 * const cli = new CommandLine("aggregator", "Counts clicks.");
 * const rate = cli.option({ flag: "--rate <events>", env: "RATE", description: "…", parse: positive }, 10);
 * cli.parse(process.argv.slice(2), process.env);
 * rate(); // a number
 */
export class CommandLine {
  readonly #command: Command;
  readonly #commands: readonly string[];
  readonly #declared: Declared[] = [];
  readonly #given = new Map<Value<unknown>, Given>();
  readonly #notes: string[] = [];

  /** @param commands names of the commands, for the error about an unknown one; `@default none` */
  constructor(name: string, description: string, commands: readonly string[] = []) {
    this.#commands = commands;
    this.#command = new Command(name)
      .description(description)
      .helpOption("-h, --help", "show this help")
      .version(ownVersion(), "-V, --version", "show the version")
      .allowExcessArguments(false)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
  }

  /** Declares an option that takes a value. */
  option<T>(spec: OptionSpec<T>): Value<T | undefined>;
  option<T>(spec: OptionSpec<T>, fallback: T): Value<T>;
  option<T>(spec: OptionSpec<T>, fallback?: T): Value<T | undefined> {
    let value = fallback;
    const shown = spec.defaultText ?? (fallback === undefined ? undefined : String(fallback));
    const get = (): T | undefined => value;
    this.#declare(spec, shown, (given, by) => {
      value = spec.parse(String(given));
      this.#given.set(get, by);
    });
    return get;
  }

  /** Declares an option that may be given several times, each with a value of its own; in its variable they are lines. */
  list<T>(spec: OptionSpec<T>): Value<readonly T[]> {
    let values: readonly T[] = [];
    const get = (): readonly T[] => values;
    const collect = (given: string, before: readonly string[] | undefined): readonly string[] => [
      ...(before ?? []),
      given,
    ];
    const take: Declared["take"] = (given, by) => {
      const texts: readonly unknown[] = Array.isArray(given) ? given : String(given).split("\n");
      values = texts.map((text) => spec.parse(String(text)));
      this.#given.set(get, by);
    };
    this.#declare(spec, spec.defaultText, take)?.argParser(collect);
    return get;
  }

  /** Whether an option with this flag is declared. */
  hasFlag(flag: string): boolean {
    const { long } = new Option(flag);
    return (
      long === "--help" || long === "--version" || this.#declared.some(({ option }) => option?.long === long)
    );
  }

  /** Declares a boolean option: the flag alone is true, `--flag=false` is false. A flag `--no-…` takes no value. */
  toggle(spec: Omit<OptionSpec<boolean>, "parse">): Value<boolean> {
    let value = false;
    const alone = spec.flag === undefined || spec.flag.startsWith("--no-");
    const flag = alone ? {} : { flag: `${spec.flag} [boolean]` };
    const get = (): boolean => value;
    this.#declare({ ...spec, ...flag, parse: boolean }, "false", (given, by) => {
      value = given === true || boolean(String(given));
      this.#given.set(get, by);
    });
    return get;
  }

  /** Returns the origin of a value after {@link parse}; `undefined`: the option was not given. */
  sourceOf(value: Value<unknown>): "flag" | "variable" | undefined {
    return this.#given.get(value)?.source;
  }

  /** Returns the flag or variable that set a value, after {@link parse}; `undefined`: the option was not given. */
  givenAs(value: Value<unknown>): string | undefined {
    return this.#given.get(value)?.name;
  }

  /**
   * Reports that an option has no effect together with the others, if it was given: a flag is an error; a variable, which
   * may be set for other programs, is a warning. A toggle that is off is not reported.
   *
   * @param why completes the message "--trim has no effect: "
   * @throws UsageError
   */
  withoutEffect(value: Value<unknown>, why: string): void {
    const given = this.#given.get(value);
    if (given === undefined || value() === false) return;
    const { name, source } = given;
    if (source === "flag") throw new UsageError(`${name} has no effect: ${why}; leave it out`);
    this.note(`${name} has no effect: ${why}`);
  }

  /**
   * Accepts and ignores the flags of another command that this one does not have, so that both can be called with the same
   * options. The help does not list them.
   */
  ignore(declareOther: (other: CommandLine) => void): void {
    const other = new CommandLine("", "");
    declareOther(other);
    for (const { spec, option } of other.#declared) {
      const known = this.#declared.some((mine) => mine.option?.long === option?.long);
      if (spec.flag !== undefined && !known) this.#command.addOption(new Option(spec.flag).hideHelp());
    }
  }

  /** Adds a warning about the given options to the first lines of the log. */
  note(sentence: string): void {
    this.#notes.push(sentence);
  }

  get notes(): readonly string[] {
    return this.#notes;
  }

  /**
   * Reads flags and environment into the declared options.
   *
   * @param args without the program's own name
   * @throws UsageError with the name of the option or the variable
   * @throws HelpShown after `--help`
   */
  parse(args: readonly string[], env: Environment): void {
    this.#command.addHelpText("after", environmentHelp(this.#declared));
    this.#parseFlags(args);
    const flags = this.#command.opts<Readonly<Record<string, unknown>>>();
    const others = this.#declared.filter((declared) => {
      const { option } = declared;
      const flag = option === undefined ? undefined : givenFor(option, flags);
      if (flag !== undefined) read(declared, option?.long ?? "", flag, "flag");
      return flag === undefined;
    });
    for (const declared of others) {
      const { spec } = declared;
      if (spec.env === undefined) continue;
      const variable = env[spec.env];
      if (variable === undefined || variable === "" || spec.unless?.() === true) continue;
      read(declared, spec.env, variable, "variable");
    }
  }

  #declare(
    spec: OptionSpec<unknown>,
    shownDefault: string | undefined,
    take: Declared["take"],
  ): Option | undefined {
    let option: Option | undefined;
    if (spec.flag !== undefined) {
      const notes = [
        ...(shownDefault === undefined ? [] : [`default: ${shownDefault}`]),
        ...(spec.env === undefined ? [] : [`env: ${spec.env}`]),
      ];
      const shown = notes.length === 0 ? "" : ` (${notes.join(", ")})`;
      option = new Option(spec.flag, `${spec.description}${shown}`);
      this.#command.addOption(option);
    }
    this.#declared.push({ spec, option, take });
    return option;
  }

  #parseFlags(args: readonly string[]): void {
    try {
      this.#command.parse(args, { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.code === "commander.helpDisplayed" || error.code === "commander.version")
        throw new HelpShown();
      const [word] = this.#command.args;
      if (error.code === "commander.excessArguments" && word !== undefined) throw this.#unknown(word);
      throw new UsageError(error.message.replace(/^error: /, ""));
    }
  }

  /** The error for an argument that is not an option. */
  #unknown(word: string): UsageError {
    const commands = this.#commands;
    if (commands.length === 0) {
      return new UsageError(`too many arguments: ${JSON.stringify(word)}; this command takes options only`);
    }
    const meant = nearest(word, commands);
    return new UsageError(
      `unknown command ${word}; ${meant === undefined ? `the commands are ${commands.join(", ")}` : `did you mean ${meant}`}`,
    );
  }
}

/** Commander turns `--no-header` into `header: false`. This returns the value of the option itself, which is true. */
function givenFor(option: Option, flags: Readonly<Record<string, unknown>>): unknown {
  const value = flags[option.attributeName()];
  if (!option.negate) return value;
  return value === false ? true : undefined;
}

function read({ take }: Declared, name: string, given: unknown, source: Given["source"]): void {
  try {
    take(given, { source, name });
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof DurationError)) throw error;
    throw new UsageError(`${name}: ${error.message}`);
  }
}

/** Help text of the variables without a flag; the help lists the others with their flags. */
function environmentHelp(declared: readonly Declared[]): string {
  const alone = declared.filter(({ option }) => option === undefined).map(({ spec }) => spec);
  if (alone.length === 0) return "";
  const width = Math.max(...alone.map(({ env = "" }) => env.length));
  const lines = alone.map(({ env = "", description }) => `  ${env.padEnd(width)}  ${description}`);
  return `\nEnvironment only:\n${lines.join("\n")}`;
}

/** All packages of Millrace have one version. */
function ownVersion(): string {
  const own: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof own === "object" && own !== null && "version" in own ? String(own.version) : "unknown";
}

/** Returns the most similar word, at most two edits away and at most a third of its letters; else `undefined`. */
function nearest(given: string, words: readonly string[]): string | undefined {
  const [best] = words
    .map((word) => ({ word, off: distance(given.toLowerCase(), word) }))
    .filter(({ word, off }) => off <= Math.min(2, Math.ceil(word.length / 3)))
    .sort((a, b) => a.off - b.off);
  return best?.word;
}

/** Edit distance: letters inserted, deleted, changed, or swapped with their neighbour. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const same = from[i - 1] === to[j - 1];
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforeLast[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, row];
  }
  return last[to.length] ?? 0;
}
