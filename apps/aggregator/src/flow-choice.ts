import { findFile } from "@millrace/cli";
import type { Parser } from "@millrace/cli";
import { FLOW_NAMES } from "./flows/flows.ts";
import type { FlowName } from "./flows/flows.ts";
import { MillraceError } from "@millrace/dataflow";

/** Which flow to run: one of the aggregator's, or a module's. */
export type FlowChoice =
  | { readonly kind: "built-in"; readonly name: FlowName }
  /** `path` is absolute. */
  | { readonly kind: "module"; readonly path: string };

const LOOKS_LIKE_A_PATH = /[/\\]|\.[cm]?[jt]s$/;

/** Reads the value of `--flow`; a path is relative to where the command was typed. */
export function flowChoice(env: Readonly<Record<string, string | undefined>>): Parser<FlowChoice> {
  return (given) => {
    const name = FLOW_NAMES.find((each) => each === given);
    if (name !== undefined) return { kind: "built-in", name };
    if (LOOKS_LIKE_A_PATH.test(given)) return { kind: "module", path: findFile(given, env) };
    throw new RangeError(
      `${JSON.stringify(given)} is none of ${FLOW_NAMES.join(", ")}, and not a path of a flow module such as ./my-flow.ts`,
    );
  };
}

/** The choice as the user would say it. */
export function flowLabel(choice: FlowChoice): string {
  return choice.kind === "built-in" ? choice.name : choice.path;
}

/** A file given as a flow cannot be loaded, or exports no flow. */
export class FlowModuleError extends MillraceError {
  static readonly code = "MILLRACE_FLOW_MODULE";
  readonly code = FlowModuleError.code;
}
