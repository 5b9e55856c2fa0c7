import type { LogLine, ProgramEnd, StartedProgram } from "@millrace/local-redis/programs";
import { soon } from "./bed.ts";
import type { TaskInRedis } from "./task-in-redis.ts";

/** A publisher that publishes a portion of its file on each request. */
export class PortionedPublisher {
  readonly #program: StartedProgram;
  readonly #portion: number;
  #asked = 0;

  /** @param portion events of each portion */
  constructor(program: StartedProgram, portion: number) {
    this.#program = program;
    this.#portion = portion;
  }

  /** Number of portions requested. */
  get asked(): number {
    return this.#asked;
  }

  /** Requests the next portion, after the last one was published. */
  async publishMore(): Promise<void> {
    await this.portionOut();
    this.#asked += 1;
    this.#program.kill("SIGUSR2");
  }

  /** Resolves when all requested portions were passed to the sink. */
  async portionOut(): Promise<void> {
    if (this.#asked === 0) return;
    const wanted = this.#asked * this.#portion;
    const out = this.#program.logged("portion", ({ total }) => Number(total) >= wanted);
    await soon(out, `${wanted} events to be published`);
  }

  /** Resolves when all requested portions are in the stream. */
  async portionArrived(task: TaskInRedis): Promise<void> {
    await this.portionOut();
    await soon(task.arrived(this.#asked * this.#portion - 1), "the portion to be in the stream");
  }

  /** See {@link StartedProgram.logged}. */
  logged(event: string, test: (line: LogLine) => boolean): Promise<LogLine> {
    return this.#program.logged(event, test);
  }

  /** Resolves when the whole file is published. */
  ended(): Promise<ProgramEnd> {
    return soon(this.#program.ended, "the publisher to end");
  }
}
