import { expect, test } from "@jest/globals";
import { initialState } from "../page/state/model.ts";
import { Store } from "../page/state/store.ts";
import { snapshotOf, windowOf } from "./run-data.ts";

/** Frames that a test draws. */
class ManualFrames {
  isHidden = false;
  #callbacks: (() => void)[] = [];

  request(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  hidden(): boolean {
    return this.isHidden;
  }

  draw(): number {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback();
    return callbacks.length;
  }
}

function storeWith(frames: ManualFrames): { store: Store; rendered: number[] } {
  const rendered: number[] = [];
  const store = new Store(initialState(0, "light", false), frames, ({ run }) => {
    rendered.push(run?.windows.length ?? -1);
  });
  return { store, rendered };
}

function send(store: Store, count: number): void {
  store.dispatch({ type: "stream", name: "snapshot", data: snapshotOf(), at: 0 });
  for (let i = 0; i < count; i += 1) {
    const data = { at: i, windows: [windowOf(i * 5_000)], removed: [] };
    store.dispatch({ type: "stream", name: "windows", data, at: i });
  }
}

test("renders once in a frame, whatever comes", () => {
  const frames = new ManualFrames();
  const { store, rendered } = storeWith(frames);
  send(store, 100);
  expect(rendered).toEqual([]);
  expect(frames.draw()).toBe(1);
  expect(rendered).toEqual([100]);
  expect(frames.draw()).toBe(0);
});

test("renders nothing while it is hidden, and all at once when it is shown", () => {
  const frames = new ManualFrames();
  const { store, rendered } = storeWith(frames);
  frames.isHidden = true;
  send(store, 10);
  expect(frames.draw()).toBe(0);
  frames.isHidden = false;
  store.shown();
  frames.draw();
  expect(rendered).toEqual([10]);
});

test("renders nothing where nothing changes", () => {
  const frames = new ManualFrames();
  const { store } = storeWith(frames);
  store.dispatch({ type: "look", theme: "light" });
  expect(frames.draw()).toBe(0);
  store.dispatch({ type: "look", theme: "dark" });
  expect(frames.draw()).toBe(1);
});
