import type { CommandLine, Value } from "@millrace/cli";
import { FlowModuleError } from "./flow-module-error.ts";

/** An option that a flow module declares for itself. */
export interface FlowOption {
  /** The flag, with a placeholder for its value: `--min-price <eur>`. Without a placeholder it is a switch: `--strict`. */
  readonly flag: string;
  /** What it does, for `--help`. */
  readonly description: string;
  /** Environment variable that can set it too. `@default none` */
  readonly env?: string;
  /** Makes the value of the text, or throws an error that says what is wrong. Not for a switch. */
  readonly parse?: (text: string) => unknown;
  /** The value without the option. `@default undefined`, or false for a switch */
  readonly default?: unknown;
}

/** What a flow module exports as `options`: each under the name that its function gets the value by. */
export type FlowOptions = Readonly<Record<string, FlowOption>>;

/** The values of these options. */
export type FlowOptionValues<Options extends FlowOptions> = string extends keyof Options
  ? Readonly<Record<string, unknown>>
  : { readonly [Name in keyof Options]: ValueOf<Options[Name]> };

type ValueOf<Option> = Option extends { readonly parse: (text: string) => infer T }
  ? Option extends { readonly default: infer Default }
    ? T | Default
    : T | undefined
  : boolean;

/**
 * Declares a module's options beside those of the command.
 *
 * @param path of the module, for errors
 * @param isTaken whether a command has an option with this flag
 * @throws FlowModuleError for options that cannot be declared
 */
export function moduleOptions(
  cli: CommandLine,
  path: string,
  options: unknown,
  isTaken: (flag: string) => boolean,
): Value<Readonly<Record<string, unknown>>> {
  if (typeof options !== "object" || options === null) {
    throw new FlowModuleError(
      `${path}: options is no object. Export { name: { flag, description, parse }, … }, or nothing under that name.`,
    );
  }
  const values = Object.entries(options).map(
    ([name, option]: [string, unknown]) =>
      [name, declare(cli, `${path}: options.${name}`, option, isTaken)] as const,
  );
  return () => Object.fromEntries(values.map(([name, value]) => [name, value()]));
}

function declare(
  cli: CommandLine,
  where: string,
  option: unknown,
  isTaken: (flag: string) => boolean,
): Value<unknown> {
  if (!isFlowOption(option)) {
    throw new FlowModuleError(
      `${where} is no option. Give { flag: "--name <value>", description: "…", parse: (text) => … }, or a switch: { flag: "--name", description: "…" }.`,
    );
  }
  const { flag, description, env, parse, default: fallback } = option;
  if (isTaken(flag) || cli.hasFlag(flag)) {
    throw new FlowModuleError(`${where}: there is an option ${flag} already. Choose another flag.`);
  }
  const spec = { flag, description, ...(env === undefined ? {} : { env }) };
  if (parse === undefined) return cli.toggle(spec);
  const read = (text: string): unknown => valueOf(parse, text);
  return fallback === undefined
    ? cli.option({ ...spec, parse: read })
    : cli.option({ ...spec, parse: read }, fallback);
}

/** @throws RangeError that says what is wrong with the text */
function valueOf(parse: (text: string) => unknown, text: string): unknown {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new RangeError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  // What Number makes of a text that is no number.
  if (Number.isNaN(value)) throw new RangeError(`${JSON.stringify(text)} is no number`);
  return value;
}

/** A flag with a placeholder has a value to parse, and a switch has none. */
function isFlowOption(value: unknown): value is FlowOption {
  if (typeof value !== "object" || value === null) return false;
  if (!("flag" in value && "description" in value)) return false;
  const { flag, description } = value;
  const parse = "parse" in value ? value.parse : undefined;
  const env = "env" in value ? value.env : undefined;
  if (typeof flag !== "string" || typeof description !== "string") return false;
  if (env !== undefined && typeof env !== "string") return false;
  return typeof parse === "function"
    ? /^--[a-z][a-z0-9-]* <.+>$/i.test(flag)
    : parse === undefined && /^--[a-z][a-z0-9-]*$/i.test(flag);
}
