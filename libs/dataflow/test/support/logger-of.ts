import type { Logger } from "@millrace/dataflow";

type Level = "debug" | "info" | "warn" | "error";

/** A logger that keeps its lines. */
export function loggerOf(): {
  readonly logger: Logger;
  readonly logged: (level: Level) => readonly object[];
} {
  const lines: { readonly level: Level; readonly line: object }[] = [];
  const at = (level: Level) => (fields: object, message: string) => {
    lines.push({ level, line: { ...fields, message } });
  };
  return {
    logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    logged: (level) => lines.filter((each) => each.level === level).map(({ line }) => line),
  };
}
