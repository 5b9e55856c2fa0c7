import type { StateGroup, Upstream } from "@millrace/windowing";
import type { Emitter, Operator } from "./contracts/operator.ts";
import type { Source } from "./contracts/source.ts";
import type { Sink } from "./contracts/sink.ts";
import { FlowError } from "./errors.ts";
import type { AsyncOperator, StepContext } from "./operators/step-context.ts";

/** What a window step asks the nearest window steps before it; there may be none. */
export interface WindowsBefore extends Upstream {
  /** The highest `Operator.wholeFrom` of them. */
  wholeFrom(readFrom: number): number;
}

/** One output of a node: `down`, unless the operator has several. */
export interface Port {
  readonly node: string;
  readonly port: string;
}

/** How a task builds a node. */
export type NodeRole =
  | { readonly kind: "input"; readonly source: Source<unknown> }
  | {
      readonly kind: "operator";
      /**
       * @param sides emitters of the ports after the first, in order
       * @param upstream the window steps before it, from {@link GraphNode.windowsBefore}
       */
      readonly build: (
        context: StepContext,
        sides: readonly Emitter<unknown>[],
        upstream: WindowsBefore,
      ) => Operator<unknown, unknown>;
    }
  | { readonly kind: "async"; readonly build: (context: StepContext) => AsyncOperator<unknown, unknown> }
  | { readonly kind: "output"; readonly sink: Sink<unknown> };

/** A step of the graph. Nodes are in the order in which they were added, which is topological. */
export interface GraphNode {
  readonly id: string;
  /** The operator's name, such as `map`. */
  readonly operator: string;
  readonly inputs: readonly Port[];
  readonly ports: readonly string[];
  readonly role: NodeRole;
  /** Configuration of the operator, for a reader of the graph. */
  readonly detail?: string;
  /** Each of the step's events is decoded, malformed or blank, in the account of a run. `@default false` */
  readonly decodes?: boolean;
  /** `false`: nothing keeps a part of the step's events after it. `@default true` */
  readonly keepsText?: boolean;
  /** The node may be the last one for its events (an inspection, a measured drop). */
  readonly mayEnd?: boolean;
  /**
   * What the step's stored state depends on: state with another description is refused at the start, unless the step
   * can migrate it. Absent: the step keeps no state.
   */
  readonly state?: string;
  /** How the step continues from state of an earlier version of the flow. */
  readonly past?: StatePast;
  /** The step emits results of windows: each of its events is counted, late, refused or skipped. */
  readonly windows?: WindowResultsNote;
  /** For windows over results of windows: the nearest window steps before it. */
  readonly windowsBefore?: readonly string[];
  /** The step's time advances only with events, or with the proof that the partition is drained. */
  readonly needsDrained?: boolean;
}

/** What a step knows of the state that its earlier versions kept. */
export interface StatePast {
  /** Ids that the step had. */
  readonly formerly?: readonly string[];
  /** How state with this description becomes the step's own; `undefined`: it cannot. */
  readonly migrationFrom?: (kept: string) => StateMigration | undefined;
}

/** Makes the groups that a step stores now of those that it stored. */
export type StateMigration = (groups: readonly StateGroup[]) => readonly StateGroup[];

/** What the windows after a window step can rely on. */
export interface WindowResultsNote {
  /** A window and key has one result: no early results, no revisions. */
  readonly once: boolean;
  /** The step has a watermark: it reports up to when all results are out. */
  readonly bounded: boolean;
  /** The windows are sessions: if they are read again, they have new names. */
  readonly sessions: boolean;
  /** How long before a window opens events may still belong to it, ms: of sessions the gap. */
  readonly reachMs: number;
  /** Windows are of the times of events, which happen before they are published; else of the time at which they are read. */
  readonly eventTime: boolean;
  /**
   * Whether a window may have begun before a time (ms) and have no final row by the watermark of stored state.
   *
   * @param groups stored state of the step; of use for sessions only
   */
  readonly hasUnfinished: (before: number, watermark: number, groups: readonly StateGroup[]) => boolean;
}

/** Where the events of a port come from. */
export interface Origin {
  /** The window steps whose results they are. */
  readonly windows: readonly string[];
  /** Whether some come from the input without a window in between. */
  readonly input: boolean;
}

/** What a step is in the account of a run; `other`: its events are counted, and no more is known of them. */
export type StepKind = "input" | "decode" | "windows" | "output" | "other";

export function kindOf({ role, decodes, windows }: GraphNode): StepKind {
  if (role.kind === "input" || role.kind === "output") return role.kind;
  if (windows !== undefined) return "windows";
  return decodes === true ? "decode" : "other";
}

const STEP_ID = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/** The steps of one flow as they are added. */
export class Graph {
  readonly flow: string;
  readonly #nodes = new Map<string, GraphNode>();
  readonly #generated = new Set<string>();

  constructor(flow: string) {
    if (!STEP_ID.test(flow)) throw new FlowError(`flow id ${JSON.stringify(flow)}: ${ID_RULE}`);
    this.flow = flow;
  }

  get nodes(): readonly GraphNode[] {
    return [...this.#nodes.values()];
  }

  /** Generates a name for a step without one: its operator's, with a number if that is taken. */
  nameFor(operator: string): string {
    let name = operator;
    for (let number = 2; this.#nodes.has(name); number++) name = `${operator}_${number}`;
    this.#generated.add(name);
    return name;
  }

  /** @throws FlowError for an id that is malformed or taken */
  add(node: GraphNode): Port {
    const where = `flow "${this.flow}", step ${JSON.stringify(node.id)}`;
    if (!STEP_ID.test(node.id)) throw new FlowError(`${where}: ${ID_RULE}`);
    if (this.#nodes.has(node.id)) {
      throw new FlowError(
        `${where}: the id belongs to a ${this.#nodes.get(node.id)?.operator ?? "step"}${this.#generated.has(node.id) ? " without an id of its own" : ""}; ids name a step in metrics and state, so each needs its own`,
      );
    }
    this.#nodes.set(node.id, node);
    return { node: node.id, port: node.ports[0] ?? "down" };
  }

  /** The flow's input, once it has been added. */
  get input(): { readonly id: string; readonly source: Source<unknown> } | undefined {
    for (const { id, role } of this.#nodes.values()) {
      if (role.kind === "input") return { id, source: role.source };
    }
    return undefined;
  }

  /** Whether a step may keep a part of what comes from the input. */
  get keepsInput(): boolean {
    const input = this.input?.id;
    return this.nodes.some(
      ({ inputs, keepsText = true }) => keepsText && inputs.some(({ node }) => node === input),
    );
  }

  node(id: string): GraphNode | undefined {
    return this.#nodes.get(id);
  }

  /** The nearest window steps, or the input, that the events of a port come from. */
  originOf({ node: id, port }: Port): Origin {
    const node = this.#nodes.get(id);
    if (node === undefined || node.inputs.length === 0) return { windows: [], input: true };
    if (node.windows !== undefined && port === node.ports[0]) return { windows: [id], input: false };
    const origins = node.inputs.map((from) => this.originOf(from));
    return {
      windows: [...new Set(origins.flatMap(({ windows }) => windows))],
      input: origins.some(({ input }) => input),
    };
  }

  /** @throws FlowError for a flow without an input or an output, or with a step that leads nowhere */
  validate(): void {
    const nodes = this.nodes;
    if (this.input === undefined) throw new FlowError(`flow "${this.flow}" has no input: call flow.input(…)`);
    if (!nodes.some((node) => node.role.kind === "output")) {
      throw new FlowError(`flow "${this.flow}" has no output: end a stream with .output(id, sink)`);
    }
    this.#validateFormerIds();
    const consumed = new Set(nodes.flatMap((node) => node.inputs.map((input) => input.node)));
    for (const node of nodes) {
      if (node.role.kind === "output" || node.mayEnd === true || consumed.has(node.id)) continue;
      throw new FlowError(
        `flow "${this.flow}", step "${node.id}" (${node.operator}) has no consumer: give its stream to another step or to .output(id, sink)`,
      );
    }
  }

  /** @throws FlowError if two steps would continue with the same state */
  #validateFormerIds(): void {
    const claimed = new Map<string, string>();
    for (const { id, past } of this.nodes) {
      for (const former of past?.formerly ?? []) {
        const where = `flow "${this.flow}", step "${id}": formerly "${former}"`;
        const holder = this.#nodes.get(former);
        if (holder?.state !== undefined) {
          throw new FlowError(
            `${where}, but the flow has a step of that id with state of its own; leave formerly out, or rename that step`,
          );
        }
        const other = claimed.get(former);
        if (other !== undefined) {
          throw new FlowError(
            `${where}, as "${other}" was, too; state has one successor, so name it in one of the two`,
          );
        }
        claimed.set(former, id);
      }
    }
  }
}

const ID_RULE = "an id starts with a letter and has up to 100 letters, digits, '_', '.' or '-'";
