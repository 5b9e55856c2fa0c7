import type { Json, JsonCodec, StateField } from "@millrace/windowing";
import { FlowError, StateError, messageOf } from "../errors.ts";
import { excerpt } from "../excerpt.ts";
import type { StatePast } from "../graph.ts";

// What is stored of the states of a step's keys, and how a step continues from what its earlier versions stored.

/** How a step with a state for each key continues from what its earlier versions stored. @typeParam S the state */
export interface KeyedStateOptions<S> {
  /**
   * Version of the state. Raise it when the state gets another meaning or shape: stored state of another version is refused,
   * unless `migrate` accepts it. @default 1
   */
  readonly version?: number;
  /**
   * Makes a key's state of the one that a lower version of the step stored; `undefined`: the key is forgotten. A time that it
   * requested with `notifyAt` stays. Called for every key when the task is opened, and again if it stops before its first commit.
   *
   * @param old the stored state, as JSON: check its shape, since the compiler cannot
   */
  readonly migrate?: (old: unknown, stored: StoredKey) => NoInfer<S> | undefined;
  /** The ids that the step had before, the latest first: it continues with that state. @default none */
  readonly formerly?: string | readonly string[];
}

/** Whose state `migrate` gets. */
export interface StoredKey {
  readonly key: string;
  /** Version of the step that stored it. */
  readonly version: number;
}

/** What the stored state of a step depends on. */
export function keyedStateOf({ version = 1 }: { readonly version?: number }): string {
  return version === 1 ? STATEFUL : `${STATEFUL} v${version}`;
}

/** What a step knows of the state of its earlier versions. @param step its id @throws FlowError */
export function keyedPastOf<S>(
  step: string,
  { version = 1, migrate, formerly }: KeyedStateOptions<S>,
  codec: JsonCodec<S> | undefined,
): StatePast {
  if (!Number.isSafeInteger(version) || version < 1)
    throw new FlowError(`step "${step}": version is ${version}, but must be a whole number from 1`);
  return {
    ...formerIds(formerly),
    migrationFrom(kept) {
      const description = DESCRIPTION.exec(kept);
      const stored = Number(description?.[1] ?? 1);
      // State of a later version is for that one: an older flow must not migrate it back by code that does not know it.
      if (migrate === undefined || description === null || stored >= version) return undefined;
      return (groups) =>
        groups.map(([group, fields]) => [
          group,
          [...fields].flatMap(([key, value]): readonly StateField[] => {
            const where = `step "${step}", key ${JSON.stringify(key)}`;
            const { state: old, ...rest } = asRecord(value, where);
            const state = migrated(where, () => migrate(old, { key, version: stored }));
            return state === undefined ? [] : [[key, { ...rest, state: stateToJson(state, codec, where) }]];
          }),
        ]);
    },
  };
}

/** The former ids of a step, as its options name them. */
export function formerIds(formerly: string | readonly string[] | undefined): Pick<StatePast, "formerly"> {
  return formerly === undefined ? {} : { formerly: [formerly].flat() };
}

const STATEFUL = "stateful";
const DESCRIPTION = /^stateful(?: v(\d+))?$/;

/** @throws StateError */
function migrated<S>(where: string, migrate: () => S): S {
  try {
    return migrate();
  } catch (error) {
    throw new StateError(`${where}: migrate threw: ${messageOf(error)}. Nothing was changed.`, {
      cause: error,
    });
  }
}

export function asRecord(value: Json, where: string): Readonly<Record<string, Json | undefined>> {
  if (value === null || typeof value !== "object" || Array.isArray(value) || !isJson(value)) {
    throw new StateError(`${where}: the stored state is damaged: ${excerpt(value)}`);
  }
  return value as Readonly<Record<string, Json | undefined>>;
}
function isJson(value: unknown): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  if (typeof value !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isJson);
}

/** A user's state as JSON: by its codec, or as it is. @throws StateError where it is not JSON */
export function stateToJson<S>(state: S, codec: JsonCodec<S> | undefined, where: string): Json {
  if (codec !== undefined) return codec.snapshot(state);
  if (isJson(state)) return state;
  throw new StateError(
    `${where}: the state is not plain JSON (${excerpt(state)}); give a codec for a Map, a Date or a class`,
  );
}
