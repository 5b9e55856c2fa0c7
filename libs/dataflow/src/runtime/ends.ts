import type { Json } from "@millrace/windowing";
import type { Sink, SinkPartition } from "../contracts/sink.ts";
import type { PartContext, SourcePartition } from "../contracts/source.ts";
import type { Store } from "../contracts/store.ts";
import type { Dataflow } from "../dataflow.ts";
import { FlowError, asSinkError, asSourceError } from "../errors.ts";
import { wholeText } from "../excerpt.ts";
import { abortable } from "./waiting.ts";
import { inputOf, sinksOf } from "./check-start.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { namedAsync } from "./name-errors.ts";
import type { NameOf } from "./name-errors.ts";
import type { TaskOptions } from "./options.ts";
import type { Resources } from "./resources.ts";
import type { StartLine } from "./start-line.ts";

/** The parts of a task before anything is open. */
export interface TaskPlan {
  readonly flow: Dataflow;
  readonly part: string;
  readonly options: TaskOptions;
  readonly store: Store | undefined;
  /** Where the tasks of a starting run wait for each other; `undefined` for a task that is reopened. */
  readonly startLine: StartLine | undefined;
  /** Receives every opened resource, also when opening fails half way. */
  readonly resources: Resources;
  /** Aborted when the task must end at once. */
  readonly abort: AbortSignal;
  /** Aborted when the opening is not needed any more. */
  readonly opening: AbortSignal;
  /** Called for each payload that the source itself refuses. */
  readonly onReject: () => void;
  /** Called with an error of the source or a sink that no call has reported. */
  readonly onFailure: (error: Error) => void;
}

type Resumes = Readonly<Record<string, Json>>;

/** An open source or sink, and the position that it resumed from. */
interface Opened<T> {
  readonly resume: Json | undefined;
  readonly end: T;
}

interface OpenSource {
  readonly partition: SourcePartition<unknown>;
  /** Makes it the partition that is read. */
  readonly choose: () => void;
}

/** The source and the sinks of a task: opened before the task is acquired where possible, and reopened where necessary. */
export class Ends {
  readonly #plan: TaskPlan;
  readonly #deadLetters: DeadLetters;
  #source: Opened<OpenSource> | undefined;
  readonly #sinks = new Map<string, Opened<SinkPartition<unknown>>>();

  constructor(plan: TaskPlan, deadLetters: DeadLetters) {
    this.#plan = plan;
    this.#deadLetters = deadLetters;
  }

  /** Opens something that is closed with the task. */
  async opened<T extends { close(): Promise<void> }>(opening: Promise<T>, nameOf?: NameOf): Promise<T> {
    const { abort, resources } = this.#plan;
    // Closes a resource that finishes opening after the task was aborted.
    opening.then((late) => (abort.aborted ? late.close() : undefined)).catch(() => undefined);
    const resource = await abortable(opening, abort);
    resources.add(resource, nameOf);
    return resource;
  }

  /** Opens the source before the task is acquired. */
  async openSource(resume: Json | undefined): Promise<void> {
    this.#source = { resume, end: await this.#openSource(resume) };
  }

  /** Opens the sinks whose opening changes nothing, before the task is acquired. */
  async openHarmlessSinks(resumes: Resumes | undefined): Promise<void> {
    for (const [id, sink] of sinksOf(this.#plan.flow)) {
      if (sink.checkResume !== undefined) continue;
      const resume = resumeOf(resumes, id);
      this.#sinks.set(id, { resume, end: await this.#openSink(id, sink, resume) });
    }
  }

  /** All sinks, by step id. @param resumes the sinks' committed states */
  async sinks(resumes: Resumes | undefined): Promise<ReadonlyMap<string, SinkPartition<unknown>>> {
    const { flow, resources } = this.#plan;
    const sinks = new Map<string, SinkPartition<unknown>>();
    for (const [id, sink] of sinksOf(flow)) {
      const resume = resumeOf(resumes, id);
      const open = await this.#ifStill(this.#sinks.get(id), resume, ({ end }) => end);
      const end = open ?? (await this.#openSink(id, sink, resume));
      // Sinks close before the store, wherever they were opened.
      resources.add(end, this.#ofSink(id));
      sinks.set(id, end);
    }
    return sinks;
  }

  /** The source's partition, to be read from now on. @param resume the committed position */
  async source(resume: Json | undefined): Promise<SourcePartition<unknown>> {
    const open = await this.#ifStill(this.#source, resume, ({ end }) => end.partition);
    const { partition, choose } = open ?? (await this.#openSource(resume));
    // The old partition is closed first: until then the source may have to acknowledge what was committed.
    this.#plan.resources.add(partition, this.#ofSource);
    choose();
    return partition;
  }

  /** The opened part, if it resumed from this position; else closes it. */
  async #ifStill<T>(
    open: Opened<T> | undefined,
    resume: Json | undefined,
    resourceOf: (open: Opened<T>) => { close(): Promise<void> },
  ): Promise<T | undefined> {
    if (open === undefined || JSON.stringify(open.resume) === JSON.stringify(resume)) return open?.end;
    await abortable(this.#plan.resources.release(resourceOf(open)), this.#plan.abort);
    return undefined;
  }

  async #openSource(resume: Json | undefined): Promise<OpenSource> {
    const { flow, part } = this.#plan;
    const { id, source } = inputOf(flow);
    // Payloads that a source refuses count only once this partition is the one that is read.
    const early: (() => void)[] = [];
    let chosen = false;
    const context = this.#contextOf(id, this.#ofSource);
    const reject: PartContext["reject"] = (payload, reason) => {
      if (chosen) context.reject(payload, reason);
      else
        early.push(() => {
          context.reject(payload, reason);
        });
    };
    const { keepsInput: keepsLines } = flow.graph;
    const opening = namedAsync(
      () => source.buildPart(part, resume, { ...context, reject, keepsLines }),
      this.#ofSource,
    );
    const partition = await this.opened(opening, this.#ofSource);
    const choose = (): void => {
      chosen = true;
      for (const put of early.splice(0)) put();
    };
    return { partition, choose };
  }

  async #openSink(
    id: string,
    sink: Sink<unknown>,
    resume: Json | undefined,
  ): Promise<SinkPartition<unknown>> {
    const { part } = this.#plan;
    const ofSink = this.#ofSink(id);
    const opening = namedAsync(() => sink.buildPart(part, resume, this.#contextOf(id, ofSink)), ofSink);
    const opened = await this.opened(opening, ofSink);
    this.#refuseStorelessOutputs(id, sink, opened);
    return opened;
  }

  /** Rows that leave with commits need a named store: another one would drop them. @throws FlowError */
  #refuseStorelessOutputs(id: string, { store }: Sink<unknown>, opened: SinkPartition<unknown>): void {
    if (opened.takeOutputs === undefined || store !== undefined) return;
    throw new FlowError(
      `flow "${this.#plan.flow.id}", output "${id}": its sink passes its rows to commits (takeOutputs), but names no store; give the sink a store`,
    );
  }

  readonly #ofSource: NameOf = (error) => {
    const { flow, part } = this.#plan;
    return asSourceError(error, inputOf(flow).id, part);
  };

  #ofSink(step: string): NameOf {
    return (error) => asSinkError(error, step, this.#plan.part);
  }

  #contextOf(step: string, nameOf: NameOf): PartContext {
    const { flow, part, options, opening, onReject, onFailure } = this.#plan;
    return {
      flow: flow.id,
      step,
      logger: options.logger,
      time: options.time,
      signal: opening,
      reject: (payload, reason) => {
        onReject();
        this.#deadLetters.put({ step, part, reason, payload: wholeText(payload) });
      },
      fail: (error) => {
        onFailure(nameOf(error));
      },
    };
  }
}

/** A null prototype, since a step may have the name of a property of every object. */
function resumeOf(resumes: Resumes | undefined, id: string): Json | undefined {
  return resumes !== undefined && Object.hasOwn(resumes, id) ? resumes[id] : undefined;
}
