import { assignedWindows, type CustomWindower } from "../custom-windower.ts";
import { WindowSpecError } from "../errors.ts";
import { damaged } from "../fields.ts";
import { isOver } from "../late-events.ts";
import type { Outbox } from "../outbox.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { KeyedBatch } from "../window-engine.ts";
import type { OrdinalWindow } from "../window.ts";
import { AssignedEngine } from "./assigned-engine.ts";
import type { WindowNames } from "./fixed-table.ts";
import type { FixedWindow } from "./fixed-window.ts";

/** Windows of a user's own windower in the time model `stream`. */
export class CustomEngine<V, A, R> extends AssignedEngine<V, A, R> {
  readonly #windower: CustomWindower;

  constructor(options: ResolvedOptions<V, A, R>, outbox: Outbox<V, R>, windower: CustomWindower) {
    super(options, outbox, namesOf(windower));
    this.#windower = windower;
  }

  protected override addPlain(batch: KeyedBatch<V>, from: number): number {
    return this.#windower.exclusive === true
      ? this.addSideBySide(batch, from)
      : this.addWithCare(batch, from);
  }

  protected override findOpen(timestamp: number): FixedWindow<A> {
    if (Number.isNaN(timestamp)) return this.none;
    const window = assignedWindows(this.#windower, timestamp).find(
      ({ close }) => close > this.watermark.value,
    );
    return window === undefined ? this.none : (this.#held(window) ?? this.table.open(window));
  }

  protected override addToEach(key: string, value: V, timestamp: number): void {
    if (Number.isNaN(timestamp)) return;
    for (const window of assignedWindows(this.#windower, timestamp)) {
      const { close } = window;
      if (close > this.watermark.value) {
        this.addToOpen(this.#held(window) ?? this.table.open(window), key, value, timestamp);
      } else if (!isOver(close, this.options.allowedLatenessMs, this.watermark.value)) {
        this.addToKept(this.#held(window) ?? this.table.openKept(window), key, value, timestamp);
      }
    }
  }

  /** @throws WindowSpecError for another window with the same id */
  #held({ id, open, close }: OrdinalWindow): FixedWindow<A> | undefined {
    const held = this.table.get(id);
    if (held === undefined || (held.window.open === open && held.close === close)) return held;
    throw new WindowSpecError(
      `The windower "${this.#windower.description}" has two windows with the id ${String(id)}: ` +
        `[${String(held.window.open)}, ${String(held.close)}) and [${String(open)}, ${String(close)}).`,
    );
  }
}

/** A window is stored under its id and its open, from which the windower returns it again. */
function namesOf(windower: CustomWindower): WindowNames {
  const nameOf = ({ id, open }: OrdinalWindow): string => `${String(id)}@${String(open)}`;
  return {
    nameOf,
    windowOf(name) {
      const open = Number(name.slice(name.lastIndexOf("@") + 1));
      const window = Number.isSafeInteger(open)
        ? assignedWindows(windower, open).find((candidate) => nameOf(candidate) === name)
        : undefined;
      return window ?? damaged(`a window of the windower "${windower.description}" as group`, name);
    },
  };
}
