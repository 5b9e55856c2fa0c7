import { useMemo } from "preact/hooks";
import type { Action, Run, State, Theme } from "../state/model.ts";
import { shownRun } from "../state/select.ts";
import { AccountPanel } from "./account-panel.tsx";
import { ChartsPanels } from "./charts.tsx";
import { DeadLettersPanel } from "./dead-letters.tsx";
import { GraphPanel } from "./graph.tsx";
import { KeyPanel } from "./key-search.tsx";
import { Header } from "./header.tsx";
import { Notice } from "./notice.tsx";
import { PartitionsPanel } from "./partitions.tsx";
import { Tiles } from "./tiles.tsx";
import { TokenForm } from "./token-form.tsx";
import { WindowsPanel } from "./windows.tsx";
import { Welcome } from "./welcome.tsx";

export interface AppProps {
  readonly state: State;
  readonly dispatch: (action: Action) => void;
  readonly onToken: (token: string) => void;
  readonly onSearch: (key: string) => void;
  readonly onTheme: (theme: Theme) => void;
}

/** The whole page. It is a function of the state; sections whose part of the state is the same are not rendered again. */
export function App({ state, dispatch, onToken, onSearch, onTheme }: AppProps) {
  const run = shownRun(state);
  const { connection } = state;
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <Header state={state} dispatch={dispatch} onTheme={onTheme} />
      <main id="content" tabIndex={-1}>
        {connection.phase === "locked" ? (
          <TokenForm notice={connection.notice} onToken={onToken} />
        ) : (
          <>
            <Notice state={state} />
            {run === null ? (
              <Welcome connection={connection} />
            ) : (
              <Sections run={run} state={state} dispatch={dispatch} onSearch={onSearch} />
            )}
          </>
        )}
      </main>
    </>
  );
}

interface SectionsProps extends Pick<AppProps, "state" | "dispatch" | "onSearch"> {
  readonly run: Run;
}

function Sections({ run, state, dispatch, onSearch }: SectionsProps) {
  const { step, picked, measure, rows, search, theme, narrow } = state;
  const { flow, tasks, windows, samples, deadLetters, counts } = run;
  return (
    <div class="sections">
      {useMemo(
        () => (
          <Tiles run={run} />
        ),
        [tasks, samples],
      )}
      {useMemo(
        () => (
          <WindowsPanel
            run={run}
            step={step}
            picked={picked}
            measure={measure}
            rows={rows}
            search={search}
            dispatch={dispatch}
            onSearch={onSearch}
          />
        ),
        [flow, windows, step, picked, measure, rows, search, tasks.account.received === 0],
      )}
      {useMemo(
        () => search !== null && <KeyPanel search={search} now={tasks.at} onSearch={onSearch} />,
        [search],
      )}
      {useMemo(
        () => (
          <ChartsPanels samples={samples} theme={theme} />
        ),
        [samples, theme],
      )}
      {useMemo(
        () => (
          <PartitionsPanel tasks={tasks} />
        ),
        [tasks],
      )}
      {useMemo(
        () => (
          <AccountPanel run={run} />
        ),
        [tasks],
      )}
      {useMemo(
        () => (
          <GraphPanel flow={flow} counts={counts} narrow={narrow} />
        ),
        [flow, counts, narrow],
      )}
      {useMemo(
        () => (
          <DeadLettersPanel deadLetters={deadLetters} />
        ),
        [deadLetters],
      )}
      <footer class="foot">
        Millrace {flow.version} · times in {TIME_ZONE}
      </footer>
    </div>
  );
}

const TIME_ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;
