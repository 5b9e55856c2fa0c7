import type { CommandLine, TransportDefaults, Value } from "@millrace/cli";
import type { FlowChoice } from "./flows/flow-choice.ts";

/** What can be done with a flow. */
export type FlowCommand = "run" | "graph" | "inspect" | "reset";

/** A program that runs flows: what it has of its own beside the options that all of them have. */
export interface FlowProgram {
  /** How a command is typed, for its help. */
  readonly usageOf: (command: FlowCommand) => string;
  /** What running a flow does, for the help. */
  readonly description: string;
  /** Names of other commands, for the error about an unknown one. */
  readonly commands: readonly string[];
  /** Declares the options that choose the flow, and those that are the flow's own. */
  readonly choose: (cli: CommandLine, env: Readonly<Record<string, string | undefined>>) => Value<FlowChoice>;
  readonly transport: TransportDefaults;
  /** A file is one window, unless `--window` or `--clock` is given: its events all arrive at once. @default false */
  readonly fileIsOneWindow?: boolean;
}
