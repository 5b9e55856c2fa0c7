import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Json, StateChange } from "@millrace/windowing";
import type { Commit, Store, TaskHead } from "../contracts/store.ts";
import type { ConformanceCase } from "./conformance.ts";

/** A store that a suite may use up. */
export interface StoreFixture {
  readonly store: Store;
  /** The same storage through another instance, as another process uses it. */
  readonly reopen: () => Promise<Store>;
  /** Removes what the fixture created. */
  readonly close: () => Promise<void>;
}

/** Properties of a store that the suite needs. */
export interface StoreHarness {
  /** An empty store. */
  readonly open: () => Promise<StoreFixture>;
}

const TASK = { flow: "suite", part: "0" };

/** What every {@link Store} must do. */
export function storeConformance({ open }: StoreHarness): readonly ConformanceCase[] {
  const using = (use: (fixture: StoreFixture) => Promise<void>) => async (): Promise<void> => {
    const fixture = await open();
    try {
      await use(fixture);
    } finally {
      await fixture.close();
    }
  };
  return [
    {
      name: "knows nothing of a task that never committed",
      run: using(async ({ store }) => {
        const task = await store.acquire(TASK);
        strictEqual(await task.load(), undefined);
      }),
    },
    {
      name: "gives back position, sinks, counts and state as commits added them up",
      run: using(async ({ store, reopen }) => {
        const task = await store.acquire(TASK);
        await task.commit(
          commitOf(1, { changes: [put("w/1", { a: 1, b: 2 }), put("w/2", { a: [1, { x: null }] })] }),
        );
        await task.commit(
          commitOf(2, {
            position: { offset: 7 },
            sinks: { out: 12 },
            changes: [
              { group: "w/1", drop: true },
              { group: "w/2", put: [["b", "é"]], delete: ["a"] },
            ],
            partial: true,
            counts: ["run", 12],
            format: 7,
          }),
        );
        const again = await (await reopen()).acquire(TASK);
        deepStrictEqual(await loaded(again.load()), {
          commitNumber: 2,
          format: 7,
          signature: "suite v1",
          position: { offset: 7 },
          sinks: { out: 12 },
          groups: { "w/2": { b: "é" } },
          partial: true,
          counts: ["run", 12],
        });
      }),
    },
    {
      name: "drops a group before it puts into it",
      run: using(async ({ store }) => {
        const task = await store.acquire(TASK);
        await task.commit(commitOf(1, { changes: [put("g", { old: 1 })] }));
        await task.commit(commitOf(2, { changes: [{ group: "g", drop: true, put: [["new", 2]] }] }));
        deepStrictEqual((await loaded(task.load()))?.groups, { g: { new: 2 } });
      }),
    },
    {
      name: "answers a resent commit that it was already applied, and does not apply it twice",
      run: using(async ({ store }) => {
        const task = await store.acquire(TASK);
        const first = commitOf(1, { changes: [put("g", { n: 1 })] });
        strictEqual((await task.commit(first)).kind, "applied");
        strictEqual((await task.commit(first)).kind, "already-applied");
        strictEqual((await loaded(task.load()))?.commitNumber, 1);
      }),
    },
    {
      name: "gives each owner a higher fence and refuses the older one",
      run: using(async ({ store, reopen }) => {
        const old = await store.acquire(TASK);
        await old.commit(commitOf(1));
        const owner = await (await reopen()).acquire(TASK);
        strictEqual(owner.fence > old.fence, true);
        deepStrictEqual(await old.commit(commitOf(2, { changes: [put("g", { zombie: true })] })), {
          kind: "fenced",
          owner: owner.fence,
        });
        strictEqual((await owner.commit(commitOf(2))).kind, "applied");
        deepStrictEqual((await loaded(owner.load()))?.groups, {});
      }),
    },
    {
      name: "does not take the old owner's last commit for a resent one of the new owner",
      run: using(async ({ store }) => {
        const old = await store.acquire(TASK);
        await old.commit(commitOf(1));
        const owner = await store.acquire(TASK);
        deepStrictEqual(await owner.commit(commitOf(1)), { kind: "rolled-back", stored: 1 });
      }),
    },
    {
      name: "reports a rollback to a task that is ahead of it",
      run: using(async ({ store }) => {
        const task = await store.acquire(TASK);
        await task.commit(commitOf(1));
        deepStrictEqual(await task.commit(commitOf(5)), { kind: "rolled-back", stored: 1 });
      }),
    },
    {
      name: "look gives back what was committed, and of the groups those asked for, and leaves the owner in charge",
      run: using(async ({ store }) => {
        strictEqual(await store.look(TASK), undefined);
        const owner = await store.acquire(TASK);
        strictEqual(await store.look(TASK), undefined);
        const changes = [put("in/position", { a: 1, b: 2 }), put("w/1", { a: 1 })];
        const kept = { signature: "suite v1", position: { at: 7 }, sinks: { out: 3 }, counts: ["run", 4] };
        await owner.commit(commitOf(1, { ...kept, changes }));
        const head = { commitNumber: 1, format: 1, ...kept };
        deepStrictEqual(await loaded(store.look(TASK)), { ...head, groups: {} });
        deepStrictEqual(await loaded(store.look(TASK, (group) => group.startsWith("in/"))), {
          ...head,
          groups: { "in/position": { a: 1, b: 2 } },
        });
        strictEqual((await owner.commit(commitOf(2))).kind, "applied");
      }),
    },
    {
      name: "keeps what it stored when a reader changes what it got",
      run: using(async ({ store }) => {
        const task = await store.acquire(TASK);
        const changes = [put("g", { old: { n: 2 } })];
        await task.commit(commitOf(1, { position: { at: 7 }, changes }));
        for (const read of [() => task.load(), () => store.look(TASK, () => true)]) {
          const state = await read();
          change(state?.position, { at: 8 });
          for (const [, fields] of state?.groups ?? [])
            for (const [, value] of fields) change(value, { n: 102 });
          const again = await loaded(read());
          deepStrictEqual([again?.position, again?.groups], [{ at: 7 }, { g: { old: { n: 2 } } }]);
        }
      }),
    },
    {
      name: "keeps tasks apart",
      run: using(async ({ store }) => {
        const one = await store.acquire(TASK);
        const other = await store.acquire({ flow: "suite", part: "1" });
        await one.commit(commitOf(1, { changes: [put("g", { one: 1 })] }));
        strictEqual(await other.load(), undefined);
        strictEqual((await other.commit(commitOf(1))).kind, "applied");
      }),
    },
  ];
}

function put(group: string, fields: Readonly<Record<string, Json>>): StateChange {
  return { group, put: Object.entries(fields) };
}

function change(value: Json | undefined, fields: Readonly<Record<string, Json>>): void {
  if (typeof value === "object" && value !== null) Object.assign(value, fields);
}

function commitOf(number: number, rest: Partial<Commit> = {}): Commit {
  return {
    number,
    format: 1,
    signature: "suite v1",
    position: null,
    sinks: {},
    changes: [],
    outputs: [],
    partial: false,
    watermark: null,
    counts: null,
    ...rest,
  };
}

/** A state with its groups as plain objects, for comparison. */
async function loaded<State extends TaskHead>(
  state: Promise<State | undefined>,
): Promise<(Omit<State, "groups"> & { readonly groups: Readonly<Record<string, unknown>> }) | undefined> {
  const found = await state;
  if (found === undefined) return undefined;
  const { groups, ...rest } = found;
  return {
    ...rest,
    groups: Object.fromEntries([...groups].map(([name, fields]) => [name, Object.fromEntries(fields)])),
  };
}
