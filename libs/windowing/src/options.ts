/* What a program needs to read its options, without the engine and the folds: a fifth of the modules of the index. */
export { eventTime, messageTime, systemTime, timeOf } from "./clock.ts";
export { DURATION_FORM, formatDuration, isCalendarLength, parseDuration, toMs } from "./duration.ts";
export { DurationError, WindowSpecError } from "./errors.ts";
export { session, sliding, tumbling } from "./windower.ts";
