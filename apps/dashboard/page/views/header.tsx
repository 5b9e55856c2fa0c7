import { formatTime } from "../format/format.ts";
import type { Action, Connection, State, Theme } from "../state/model.ts";
import { shownRun } from "../state/select.ts";
import { Icon, Logo } from "./icons.tsx";

interface HeaderProps {
  readonly state: State;
  readonly dispatch: (action: Action) => void;
  readonly onTheme: (theme: Theme) => void;
}

export function Header({ state, dispatch, onTheme }: HeaderProps) {
  const { connection, frozen, now, theme } = state;
  const run = shownRun(state);
  const paused = frozen !== null;
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header class="top">
      <Logo />
      <div class="top-name">
        <h1>{run?.flow.flow ?? "Millrace"}</h1>
        {run !== null && <p>running since {formatTime(run.flow.startedAt)}</p>}
      </div>
      <p class={`link link-${connection.phase}`} role="status">
        <span class="link-dot" aria-hidden="true" />
        {linkText(connection)}
        {paused && ", paused"}
      </p>
      <div class="top-tools">
        <time class="clock" dateTime={new Date(now).toISOString()}>
          {formatTime(now)}
        </time>
        <button
          type="button"
          class="tool"
          aria-pressed={paused}
          disabled={run === null}
          onClick={() => {
            dispatch({ type: "pause", paused: !paused });
          }}
        >
          <Icon name={paused ? "play" : "pause"} />
          {paused ? "Resume" : "Pause"}
        </button>
        <button
          type="button"
          class="tool tool-icon"
          aria-label={`Switch to ${other} colours`}
          title={`Switch to ${other} colours`}
          onClick={() => {
            onTheme(other);
          }}
        >
          <Icon name={other === "dark" ? "moon" : "sun"} />
        </button>
      </div>
    </header>
  );
}

function linkText(connection: Connection): string {
  switch (connection.phase) {
    case "connecting":
      return "connecting";
    case "live":
      return "live";
    case "stale":
      return `stale since ${formatTime(connection.since)}`;
    case "reconnecting":
    case "refused":
      return "reconnecting";
    case "locked":
      return "needs a token";
    case "ended":
      return connection.failed ? "failed" : "ended";
  }
}
