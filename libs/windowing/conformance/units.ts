import {
  NO_SESSION_ID,
  WindowSpecError,
  count,
  createWindowEngine,
  session,
  type OrdinalWindow,
  type SessionWindower,
} from "../src/index.ts";
import { KeySessions, type SessionMerge } from "../src/per-key/key-sessions.ts";
import { compare, firstOf, type Difference } from "./comparison.ts";
import { MalformedVectorsError, type Fields } from "./fields.ts";
import { clockOf, windowerOf } from "./subject.ts";

/** Longer than any vector, so that the key's session, and with it the key's clock, stays. */
const FOREVER_MS = 2 ** 50;

/** The watermark of one key. */
export function runClock(vector: Fields): Difference {
  const engine = createWindowEngine({
    timeModel: "perKey",
    windower: session(FOREVER_MS),
    clock: clockOf(vector.object("clock")),
    fold: count(),
  });
  engine.advance(vector.optionalNumber("built_at_ms") ?? 0);
  return firstOf(
    ...vector.objects("steps").map((step, index) => {
      const now = step.number("now_ms");
      let late = false;
      switch (step.oneOf("do", "notify", "item", "eof")) {
        case "item": {
          const item = { ts: step.optionalNumber("ts_ms") ?? Number.NaN, value: null, side: 0 };
          late = engine.process({ keys: ["key"], values: [item] }, now).late.length > 0;
          break;
        }
        case "notify":
          engine.advance(now);
          break;
        case "eof":
          engine.finish("end");
      }
      const at = `steps[${String(index)}]`;
      return firstOf(
        compare(
          `${at}.expect_watermark`,
          engine.watermarkOf("key"),
          watermarkFrom(step.any("expect_watermark")),
        ),
        step.has("late") ? compare(`${at}.late`, late, step.flag("late")) : undefined,
      );
    }),
  );
}

function watermarkFrom(json: unknown): number {
  if (typeof json === "number") return json;
  return json === "max" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

/** The windows that a timestamp belongs to. */
export function runWindowIds(vector: Fields): Difference {
  // An offset longer than the length was allowed once.
  if (vector.flag("v018_only")) return runReject(vector);
  const windower = windowerOf(vector.object("windower"));
  if (windower.kind === "session")
    throw new MalformedVectorsError("window_ids needs a tumbling or sliding windower.");
  const windows = windower.windowsAt(vector.number("ts_ms"));
  const bounds = Object.fromEntries(windows.map(({ id, open, close }) => [id, [open, close]]));
  return firstOf(
    compare(
      "expected_ids",
      windows.map(({ id }) => id),
      vector.list("expected_ids"),
    ),
    compare("expected_bounds", bounds, vector.any("expected_bounds")),
  );
}

/** A configuration that must be refused. */
export function runReject(vector: Fields): Difference {
  try {
    windowerOf(vector.object("windower"));
  } catch (error) {
    if (error instanceof WindowSpecError) return undefined;
    throw error;
  }
  return "expected the configuration to be refused, but it was accepted";
}

/** The sessions of one key, step by step. */
export function runSessionUnit(vector: Fields): Difference {
  const sessions = new KeySessions(sessionWindowerOf(vector.object("windower")).gapMs);
  let merges: SessionMerge[] = [];
  return firstOf(
    ...vector.objects("steps").map((step, index) => {
      const difference = runSessionStep(sessions, step, merges);
      if (step.text("do") === "open_for") merges = [...merges, ...sessions.merge()];
      if (step.text("do") === "merged") merges = [];
      const at = `steps[${String(index)}]`;
      return firstOf(
        difference === undefined ? undefined : `${at}.${difference}`,
        compare(`${at}.sessions_after`, sessionsToJson(sessions), step.any("sessions_after")),
      );
    }),
  );
}

function runSessionStep(sessions: KeySessions, step: Fields, merges: readonly SessionMerge[]): Difference {
  switch (step.text("do")) {
    case "open_for":
      return compare("expect_ids", [sessions.openFor(step.number("ts_ms"))], step.list("expect_ids"));
    case "late_for":
      return compare("expect_ids", [NO_SESSION_ID], step.list("expect_ids"));
    case "merged":
      return compare("expect", merges, step.list("expect"));
    case "notify_at":
      return compare("expect_ms", sessions.nextDue() ?? null, step.any("expect_ms"));
    case "close_for": {
      const due = sessions.due(step.number("watermark_ms"));
      for (const { id } of due) sessions.remove(id);
      const closed = due.map(({ id, open, close, mergedIds }) => [id, open, close, mergedIds]);
      return compare("expect", closed, step.list("expect"));
    }
    default:
      throw new MalformedVectorsError(`Unknown step ${step.text("do")}.`);
  }
}

/** Which of given sessions merge. */
export function runSessionMerge(vector: Fields): Difference {
  const given = vector.object("sessions");
  const sessionsHeld = given.names().map((id): OrdinalWindow => {
    const held = given.object(id);
    const mergedIds = held.list("merged_ids") as readonly number[];
    return { id: Number(id), open: held.number("open_ms"), close: held.number("close_ms"), mergedIds };
  });
  const sessions = new KeySessions(vector.number("gap_ms"), sessionsHeld, sessionsHeld.length);
  return firstOf(
    compare("expected_merges", sessions.merge(), vector.list("expected_merges")),
    compare("expected_sessions", sessionsToJson(sessions), vector.any("expected_sessions")),
  );
}

function sessionsToJson(sessions: KeySessions): unknown {
  return Object.fromEntries(
    sessions
      .windows()
      .map(({ id, open, close, mergedIds }) => [
        id,
        { open_ms: open, close_ms: close, merged_ids: [...mergedIds] },
      ]),
  );
}

function sessionWindowerOf(spec: Fields): SessionWindower {
  const windower = windowerOf(spec);
  if (windower.kind === "session") return windower;
  throw new MalformedVectorsError("session_unit needs a session windower.");
}
