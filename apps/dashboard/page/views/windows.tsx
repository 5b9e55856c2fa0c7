import type { Window } from "@millrace/observe/api";
import {
  formatCause,
  formatCompleteness,
  formatLoss,
  formatMoment,
  formatRange,
  plural,
} from "../format/format.ts";
import { areZones } from "../map/zones.ts";
import type { Action, KeySearch, Run, WindowRows } from "../state/model.ts";
import { shownMeasure, shownWindow, shownWindows, windowSteps } from "../state/select.ts";
import { BarTable } from "./bars.tsx";
import { Icon, StatusBadge } from "./icons.tsx";
import { KeySearchBox } from "./key-search.tsx";
import { MapFigure } from "./map-figure.tsx";
import { Choice, Empty, Panel } from "./panel.tsx";
import { Timeline } from "./timeline.tsx";

interface WindowsPanelProps {
  readonly run: Run;
  readonly step: string | null;
  readonly picked: string | null;
  readonly measure: string | null;
  readonly rows: WindowRows | null;
  readonly search: KeySearch | null;
  readonly dispatch: (action: Action) => void;
  readonly onSearch: (key: string) => void;
}

/** The windows in time, and one of them with its rows. */
export function WindowsPanel(props: WindowsPanelProps) {
  const { run, step, picked, measure, rows, search, dispatch, onSearch } = props;
  const steps = windowSteps(run);
  if (steps.length === 0) return <NoWindows />;
  const windows = shownWindows(run, step);
  const shown = shownWindow(windows, picked);
  const now = run.tasks.at;
  const chosen = shown === undefined ? undefined : shownMeasure(shown, measure);
  return (
    <Panel
      id="windows"
      title="Windows"
      aside={
        <>
          {steps.length > 1 && (
            <Choice
              label="Step"
              values={steps}
              value={step ?? steps[0] ?? ""}
              onChoose={(chosenStep) => {
                dispatch({ type: "show-step", step: chosenStep });
              }}
            />
          )}
          <KeySearchBox
            search={search}
            suggestions={shown?.top.map(({ key }) => key) ?? []}
            onSearch={onSearch}
          />
        </>
      }
    >
      {shown === undefined ? (
        <NoData received={run.tasks.account.received} />
      ) : (
        <>
          <Timeline
            windows={windows}
            shown={shown}
            following={picked !== shown.id}
            measure={chosen}
            now={now}
            dispatch={dispatch}
          />
          <WindowHead
            window={shown}
            following={picked !== shown.id}
            lostPick={picked !== null && picked !== shown.id}
            now={now}
            dispatch={dispatch}
          />
          <WindowBody window={shown} measure={chosen} rows={rows} dispatch={dispatch} onSearch={onSearch} />
        </>
      )}
    </Panel>
  );
}

function NoWindows() {
  return (
    <Panel id="windows" title="Windows">
      <Empty title="This flow has no windows">
        Its rows leave as its events come; the charts below show how many.
      </Empty>
    </Panel>
  );
}

function NoData({ received }: { received: number }) {
  return received === 0 ? (
    <Empty title="No events yet">
      Publish some: <code>npx millrace publish --file events.jsonl</code>
    </Empty>
  ) : (
    <Empty title="No windows yet">
      Events have come, and none of them is in a window. The account below says where they went.
    </Empty>
  );
}

interface WindowHeadProps {
  readonly window: Window;
  readonly following: boolean;
  readonly lostPick: boolean;
  readonly now: number;
  readonly dispatch: (action: Action) => void;
}

function WindowHead({ window, following, lostPick, now, dispatch }: WindowHeadProps) {
  const { open, close, status, cause, revision, complete, keys, openIn, updatedAt } = window;
  const loss = formatLoss(complete);
  const facts = [
    plural(keys, "key"),
    ...(cause === null ? [] : [formatCause(cause)]),
    ...(revision === 0 ? [] : [`revision ${revision}`]),
    ...(openIn.length === 0
      ? []
      : [`open in ${openIn.length > 3 ? plural(openIn.length, "partition") : openIn.join(", ")}`]),
    ...(updatedAt === null ? [] : [`last row ${formatMoment(updatedAt, now)}`]),
  ];
  return (
    <div class="window-head">
      <h3>{formatRange(open, close, now)}</h3>
      <StatusBadge status={status} />
      <span class={loss === undefined ? "complete" : "complete complete-not"}>
        {loss !== undefined && status !== "incomplete" && <Icon name="incomplete" />}
        {formatCompleteness(complete)}
      </span>
      <p class="window-facts">{facts.join(" · ")}</p>
      {following ? (
        <p class="window-follow">
          {lostPick ? "the picked window is no longer kept" : "the newest with rows"}
        </p>
      ) : (
        <button
          type="button"
          class="tool"
          onClick={() => {
            dispatch({ type: "pick", window: null });
          }}
        >
          Follow the newest
        </button>
      )}
    </div>
  );
}

interface WindowBodyProps {
  readonly window: Window;
  readonly measure: string | undefined;
  readonly rows: WindowRows | null;
  readonly dispatch: (action: Action) => void;
  readonly onSearch: (key: string) => void;
}

function WindowBody({ window, measure, rows, dispatch, onSearch }: WindowBodyProps) {
  if (window.top.length === 0) {
    return (
      <Empty title="This window has no rows yet">
        {window.keys === 0
          ? "No event of it has come."
          : `${plural(window.keys, "key")} so far; its rows leave when it closes.`}
      </Empty>
    );
  }
  const zones = measure !== undefined && areZones(window.top.map(({ key }) => key));
  const all = rows?.id === window.id ? rows.rows : window.top;
  return (
    <div class={zones ? "window-body window-body-map" : "window-body"}>
      <div>
        {window.measures.length > 1 && measure !== undefined && (
          <Choice
            label="Show"
            values={window.measures}
            value={measure}
            onChoose={(chosen) => {
              dispatch({ type: "show-measure", measure: chosen });
            }}
          />
        )}
        <BarTable window={window} measure={measure} onSearch={onSearch} />
      </div>
      {zones && <MapFigure rows={all} measure={measure} />}
    </div>
  );
}
