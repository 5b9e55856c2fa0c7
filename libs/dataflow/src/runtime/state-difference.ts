/** What a step's state depends on, by its name in a message. */
type Aspects = ReadonlyMap<string, string>;

/** Where the next step begins. A description may have a text of the user's, which can look like a step's id. */
const STEP = /; (?=[A-Za-z][\w.-]*: (?:window v\d|stateful|deduplicate|custom))/;

/** A signature, by its parts. */
interface Shape {
  readonly version: string;
  /** The stateful steps, by id. */
  readonly steps: ReadonlyMap<string, string>;
}

/** What differs between two descriptions of a step's state, one sentence for each. */
export function differencesOfStep(id: string, was: string, is: string): readonly string[] {
  const [before, now] = [aspectsOf(was), aspectsOf(is)];
  const names = [...new Set([...before.keys(), ...now.keys()])];
  return names
    .filter((name) => before.get(name) !== now.get(name))
    .map((name) =>
      valueChanged(`step "${id}", ${name}`, before.get(name) ?? "none", now.get(name) ?? "none"),
    );
}

/** A sentence about a value that is another one now. */
export function valueChanged(what: string, kept: string, now: string): string {
  return `${what}: kept ${kept}, now ${now}`;
}

/** The windows that a signature names, as messages show them, by the ids of their steps. */
export function keptWindows(signature: string): ReadonlyMap<string, string> {
  const steps = [...shapeOf(signature).steps];
  return new Map(
    steps.flatMap(([step, state]) => {
      const windows = aspectsOf(state).get("windows");
      return windows === undefined ? [] : [[step, windows] as const];
    }),
  );
}

/** Parses a signature. */
export function shapeOf(signature: string): Shape {
  const [head = "", ...steps] = signature.split(STEP);
  return {
    version: /\d+$/.exec(head)?.[0] ?? "none",
    steps: new Map(
      steps.map((step) => {
        const colon = step.indexOf(": ");
        return [step.slice(0, colon), step.slice(colon + 2)];
      }),
    ),
  };
}

const WINDOW = /^window v(\d+) (\w+) (\w+) (.*?)( ordered)? fold=(.*) clock=(\S+)$/;

function aspectsOf(state: string): Aspects {
  const [, form, timeModel, kind, sizes = "", ordered, fold, clock] = WINDOW.exec(state) ?? [];
  if (form === undefined || timeModel === undefined || kind === undefined) return new Map([["state", state]]);
  return new Map([
    ["form of the state", form],
    ["time model", timeModel],
    ["windows", `${kind} ${sizesOf(kind, sizes)}`],
    ["order of events", ordered === undefined ? "any" : "ordered"],
    ["fold", fold ?? ""],
    ["clock", clock ?? ""],
  ]);
}

function sizesOf(kind: string, text: string): string {
  const sizes = new Map(Array.from(text.matchAll(/(\w+)=(-?\d+)/g), ([, name, ms]) => [name, Number(ms)]));
  const [length, offset, gap] = ["length", "offset", "gap"].map((name) => sizes.get(name));
  const alignTo = sizes.get("alignTo") ?? 0;
  const aligned = alignTo === 0 ? "" : ` aligned to ${alignTo} ms`;
  if (kind === "session" && gap !== undefined) return `with a gap of ${spanOf(gap)}`;
  if (length === undefined || offset === undefined) return text;
  return `${spanOf(length)}${offset === length ? "" : ` every ${spanOf(offset)}`}${aligned}`;
}

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

function spanOf(ms: number): string {
  const [unit, name] = UNITS.find(([each]) => ms % each === 0) ?? [1, "ms"];
  return `${ms / unit} ${name}`;
}
