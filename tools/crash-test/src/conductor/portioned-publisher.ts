import type { LogLine, ProgramEnd, StartedProgram } from "@millrace/local-redis/programs";
import { soon } from "./bed.ts";
import type { TaskInRedis } from "./task-in-redis.ts";

/** A publisher that publishes a portion of its file each time it is told to. */
export class PortionedPublisher {
  readonly #program: StartedProgram;
  readonly #portion: number;
  #asked = 0;

  /** @param portion events of each portion */
  constructor(program: StartedProgram, portion: number) {
    this.#program = program;
    this.#portion = portion;
  }

  /** Portions asked for. */
  get asked(): number {
    return this.#asked;
  }

  /** Begins the next portion, when the one before has been handed out. */
  async publishMore(): Promise<void> {
    await this.portionOut();
    this.#asked += 1;
    this.#program.kill("SIGUSR2");
  }

  /** Resolves when everything that was asked for has been handed out. */
  async portionOut(): Promise<void> {
    if (this.#asked === 0) return;
    const wanted = this.#asked * this.#portion;
    const out = this.#program.logged("portion", ({ total }) => Number(total) >= wanted);
    await soon(out, `${wanted} events to be published`);
  }

  /** Resolves when everything that was asked for is in the stream. */
  async portionArrived(task: TaskInRedis): Promise<void> {
    await this.portionOut();
    await soon(task.arrived(this.#asked * this.#portion - 1), "the portion to be in the stream");
  }

  /** See {@link StartedProgram.logged}. */
  logged(event: string, test: (line: LogLine) => boolean): Promise<LogLine> {
    return this.#program.logged(event, test);
  }

  /** Resolves when all is published. */
  ended(): Promise<ProgramEnd> {
    return soon(this.#program.ended, "the publisher to end");
  }
}
