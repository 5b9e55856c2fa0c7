import { options, render } from "preact";
import { LiveConnection } from "./live/connection.ts";
import { KeyLoader, RowsLoader } from "./live/loaders.ts";
import { initialState } from "./state/model.ts";
import type { State } from "./state/model.ts";
import { Store } from "./state/store.ts";
import { preferredTheme, saveTheme, watchTheme } from "./theme.ts";
import { App } from "./views/app.tsx";

const NARROW = window.matchMedia("(max-width: 719px)");

const root = document.querySelector("#page") ?? document.body;
/** For tests: renders and frames since the start. */
const counts = { renders: 0, frames: 0 };
Object.assign(window, { __millrace: counts });

const frames = {
  request: (callback: () => void): void => {
    requestAnimationFrame(() => {
      counts.frames += 1;
      callback();
    });
  },
  hidden: (): boolean => document.hidden,
};

const store = new Store(initialState(Date.now(), preferredTheme(), NARROW.matches), frames, show);
const connection = new LiveConnection(store.dispatch);
const rows = new RowsLoader(store.dispatch);
const keys = new KeyLoader(store.dispatch);

function show(state: State): void {
  counts.renders += 1;
  document.documentElement.dataset["theme"] = state.theme;
  render(
    <App
      state={state}
      dispatch={store.dispatch}
      onToken={(token) => void connection.unlock(token)}
      onSearch={(key) => {
        keys.search(key);
      }}
      onTheme={(theme) => {
        saveTheme(theme);
        store.dispatch({ type: "look", theme });
      }}
    />,
    root,
  );
}

// What a component renders by itself waits for a frame, too.
options.debounceRendering = (callback) => requestAnimationFrame(callback);
store.watch(rows.watch);
store.watch(keys.watch);
watchTheme((theme) => {
  store.dispatch({ type: "look", theme });
});
NARROW.addEventListener("change", ({ matches }) => {
  store.dispatch({ type: "look", narrow: matches });
});
document.addEventListener("visibilitychange", () => {
  store.shown();
});
window.setInterval(() => {
  connection.tick(Date.now());
}, 1_000);
show(store.state);
void connection.start();
