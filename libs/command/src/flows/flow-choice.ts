import { findFile } from "@millrace/cli";
import type { Parser } from "@millrace/cli";
import type { FlowOf } from "./flow-parts.ts";

/** A flow that a program has of its own. */
export interface BuiltInFlow {
  readonly build: FlowOf;
  /** Its rows always say whether they are complete, so windows wait until that is known. @default false */
  readonly showsCompleteness?: boolean;
  /** Its events keep the fields that `--clock=event:<field>` may name. @default false */
  readonly hasTimes?: boolean;
}

/** Flows of a program's own, by name. */
export type BuiltInFlows = Readonly<Record<string, BuiltInFlow>>;

/** Which flow to run: one of the program's, or a module's. */
export type FlowChoice =
  | { readonly kind: "built-in"; readonly name: string; readonly flow: BuiltInFlow }
  /** `path` is absolute. */
  | {
      readonly kind: "module";
      readonly path: string;
      /** Values of the options that the module declares; `undefined`: the program does not read such options. */
      readonly options: Readonly<Record<string, unknown>> | undefined;
    };

const LOOKS_LIKE_A_PATH = /[/\\]|\.[cm]?[jt]s$/;

/** Reads the value of `--flow`; a path is relative to where the command was typed. */
export function flowChoice(
  flows: BuiltInFlows,
  env: Readonly<Record<string, string | undefined>>,
): Parser<FlowChoice> {
  return (given) => {
    const flow = Object.hasOwn(flows, given) ? flows[given] : undefined;
    if (flow !== undefined) return { kind: "built-in", name: given, flow };
    if (LOOKS_LIKE_A_PATH.test(given))
      return { kind: "module", path: findFile(given, env), options: undefined };
    throw new RangeError(
      `${JSON.stringify(given)} is none of ${Object.keys(flows).join(", ")}, and not a path of a flow module such as ./my-flow.ts`,
    );
  };
}

/** The choice as the user would say it. */
export function flowLabel(choice: FlowChoice): string {
  return choice.kind === "built-in" ? choice.name : choice.path;
}
