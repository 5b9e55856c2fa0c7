import type { Window } from "@millrace/observe/api";
import { useLayoutEffect, useRef } from "preact/hooks";
import { formatLoss, formatNumber, formatOpen, formatRange, plural } from "../format/format.ts";
import type { Action } from "../state/model.ts";
import { Icon } from "./icons.tsx";

const SHOWN = 48;

interface TimelineProps {
  /** Newest first. */
  readonly windows: readonly Window[];
  readonly shown: Window;
  readonly following: boolean;
  readonly measure: string | undefined;
  readonly now: number;
  readonly dispatch: (action: Action) => void;
}

/** Windows from left to right in time; the arrow keys, Home and End pick one. */
export function Timeline({ windows, shown, following, measure, now, dispatch }: TimelineProps) {
  const list = useRef<HTMLDivElement>(null);
  const recent = windows.slice(0, SHOWN);
  const visible = recent.includes(shown) ? recent : [...recent, shown];
  useLayoutEffect(() => {
    // Only what the reader picked takes the focus along, not each new window.
    if (following || list.current?.contains(document.activeElement) !== true) return;
    list.current.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
  }, [shown.id, following]);
  const size = (window: Window): number =>
    Math.abs(measure === undefined ? window.keys : (window.totals[measure] ?? 0));
  const largest = Math.max(0, ...visible.map(size));
  const at = visible.indexOf(shown);
  const pick = (index: number): void => {
    const window = visible[Math.max(0, Math.min(visible.length - 1, index))];
    if (window !== undefined) dispatch({ type: "pick", window: window.id });
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => {
      pick(at + 1);
    },
    ArrowRight: () => {
      pick(at - 1);
    },
    Home: () => {
      pick(visible.length - 1);
    },
    End: () => {
      pick(0);
    },
    Escape: () => {
      dispatch({ type: "pick", window: null });
    },
  };
  return (
    <div
      class="timeline"
      role="listbox"
      aria-orientation="horizontal"
      aria-label="Windows, the newest first. Left and right arrow keys pick one, Escape follows the newest."
      ref={list}
      onKeyDown={(event) => {
        const press = keys[event.key];
        if (press === undefined) return;
        event.preventDefault();
        press();
      }}
    >
      {visible.map((window) => (
        <Slot
          key={window.id}
          window={window}
          selected={window === shown}
          share={largest === 0 ? 0 : size(window) / largest}
          measure={measure}
          now={now}
          dispatch={dispatch}
        />
      ))}
    </div>
  );
}

interface SlotProps {
  readonly window: Window;
  readonly selected: boolean;
  readonly share: number;
  readonly measure: string | undefined;
  readonly now: number;
  readonly dispatch: (action: Action) => void;
}

function Slot({ window, selected, share, measure, now, dispatch }: SlotProps) {
  const { id, open, close, status, revision, complete, totals, keys } = window;
  const sum = measure === undefined ? undefined : totals[measure];
  const more = [
    formatLoss(complete),
    revision === 0 ? undefined : `revision ${revision}`,
    sum === undefined ? `${plural(keys, "key")} so far` : `${measure ?? ""} ${formatNumber(sum)}`,
  ]
    .filter((part) => part !== undefined)
    .join(", ");
  return (
    <div
      role="option"
      class={`slot slot-${status}`}
      aria-selected={selected}
      title={`${formatRange(open, close, now)}, ${status}, ${more}`}
      tabIndex={selected ? 0 : -1}
      onClick={() => {
        dispatch({ type: "pick", window: id });
      }}
    >
      <span class="slot-column">
        <span class="slot-fill" style={{ height: `${Math.max(2, share * 100)}%` }} />
      </span>
      <span class="slot-status">
        <Icon name={status} />
        {status}
      </span>
      <span class="slot-time">{formatOpen(open, close)}</span>
      <span class="hidden">{`, ${more}`}</span>
    </div>
  );
}
