import type { Field } from "../describe/object-shape.ts";
import { groupReader, type Cell, type GroupReader } from "./group-reader.ts";
import type { TextPool } from "./text-pool.ts";
import {
  BOOLEAN,
  escaped,
  NUMBER,
  rulePattern,
  TEXT,
  typePattern,
  type Open,
  type ValueType,
} from "./value-pattern.ts";

const SPACE = String.raw`[ \t\r\n]*`;
/** One field: the separator before it, name, colon, and value. */
const MEMBER = new RegExp(
  `(${SPACE}[{,]${SPACE})"(${TEXT}*)"(${SPACE}:${SPACE})(?:(")${TEXT}*"|(${BOOLEAN})|null|(${NUMBER}))`,
  "y",
);
const END = new RegExp(`${SPACE}\\}${SPACE}$`, "y");

/** Longer lines would make long patterns, and are rare. */
const LONGEST_LINE = 4_096;

/** What a projection reads, and what it knows about the lines. */
export interface Wanted {
  /** The fields of an event, in its order, each with the pool of its texts. */
  readonly names: ReadonlyMap<string, TextPool>;
  /** The schema's fields. */
  readonly fields: ReadonlyMap<string, Field>;
}

/**
 * The form that the lines of one program share: the order of the fields, their types, and the white space between them.
 * It is a regular expression in which only the values vary. So a line that matches is known to be a valid JSON object
 * without being parsed: no escapes, no control characters, no nesting, no name twice. For a field of the schema it matches
 * the values that the schema accepts, for any other field the values of its type.
 */
export class LineLayout {
  readonly #pattern: RegExp;
  readonly #read: GroupReader;

  private constructor(pattern: RegExp, read: GroupReader) {
    this.#pattern = pattern;
    this.#read = read;
  }

  /**
   * The layout of a line; undefined if it has none, because something in it is nested or escaped, or because it lacks a
   * field that has a default.
   *
   * @param line known to be an event
   */
  static of(line: string, { names, fields }: Wanted): LineLayout | undefined {
    if (line.length > LONGEST_LINE) return undefined;
    let source = "^";
    const present = new Set<string>();
    const cells: Cell[] = [];
    let end = 0;
    for (let member = memberAt(line, 0); member !== null; member = memberAt(line, end)) {
      const [whole, separator = "", name = "", colon = ""] = member;
      end += whole.length;
      // Only the first one opens the object.
      if ((separator.trim() === "{") !== (present.size === 0) || present.has(name)) return undefined;
      present.add(name);
      const field = fields.get(name);
      const cell = cellOf(name, typeOf(member), field, names.get(name));
      const isRead = cell.pool !== undefined || cell.schema !== undefined;
      if (isRead) cells.push(cell);
      source += escaped(`${separator}"${name}"${colon}`) + patternOf(cell, field, isRead ? "(" : "(?:");
    }
    END.lastIndex = end;
    if (present.size === 0 || !END.test(line)) return undefined;
    for (const [name, field] of fields) if (!field.mayBeAbsent && !present.has(name)) return undefined;
    const pattern = new RegExp(`${source}${escaped(line.slice(end))}$`);
    return new LineLayout(pattern, groupReader([...names.keys()], cells));
  }

  /** The wanted fields of a line; undefined if it has another layout, or if a field's schema refuses it. */
  read(line: string): object | undefined {
    const groups = this.#pattern.exec(line);
    return groups === null ? undefined : this.#read(groups);
  }
}

function memberAt(line: string, at: number): RegExpExecArray | null {
  MEMBER.lastIndex = at;
  return MEMBER.exec(line);
}

function typeOf([, , , , quote, boolean, number]: RegExpExecArray): ValueType {
  if (quote !== undefined) return "text";
  if (boolean !== undefined) return "boolean";
  return number === undefined ? "null" : "number";
}

/** A field with a rule is read by its rule; any other field has its type in this line. */
function cellOf(name: string, type: ValueType, field: Field | undefined, pool: TextPool | undefined): Cell {
  if (field === undefined) return { name, type, pool, schema: undefined };
  const { rule, schema } = field;
  if (rule.kind === "checked") return { name, type, pool, schema };
  return { name, type: rule.kind === "choice" ? "text" : rule.kind, pool, schema: undefined };
}

function patternOf({ type }: Cell, field: Field | undefined, open: Open): string {
  return field === undefined || field.rule.kind === "checked"
    ? typePattern(type, open)
    : rulePattern(field.rule, open);
}
