import type { ClickEvent } from "./click-event.ts";

/** Inside a JSON string: any character that needs no escape. */
const TEXT = String.raw`[^"\\\x00-\x1f]`;
const SPACE = String.raw`[ \t\r\n]*`;
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;
const BOOLEAN = "true|false";

/** The values that a layout accepts for a click's field: all that the schema accepts, written without escapes. */
const CLICK_VALUES: Readonly<Record<keyof ClickEvent, { readonly before: string; readonly value: string }>> =
  {
    click_id: text("*"),
    os: text("*"),
    os_name: text("*"),
    os_timezone: text("+"),
    device_type: text("*"),
    device_is_mobile: { before: "", value: BOOLEAN },
    user_custom_id: text("*"),
    user_domain_id: text("*"),
  };

/** One field: the separator before it, name, colon, and value. */
const MEMBER = new RegExp(
  `(${SPACE}[{,]${SPACE})"(${TEXT}*)"(${SPACE}:${SPACE})(?:(")${TEXT}*"|(${BOOLEAN})|null|(${NUMBER}))`,
  "y",
);
const END = new RegExp(`${SPACE}\\}${SPACE}$`, "y");

/** Longer lines would make long patterns, and are rare. */
const LONGEST_LINE = 4_096;

/**
 * The form that the lines of one program share: the order of the fields, their types, and the white space between them.
 * It is a regular expression in which only the values vary. So a line that matches is known to be a valid JSON object
 * without being parsed: no escapes, no control characters, no nesting, no name twice.
 */
export class LineLayout {
  readonly #pattern: RegExp;
  /** For each wanted field the number of its group. */
  readonly groups: readonly number[];

  private constructor(pattern: RegExp, groups: readonly number[]) {
    this.#pattern = pattern;
    this.groups = groups;
  }

  /**
   * The layout of a line; undefined if it has none, because something in it is nested or escaped.
   *
   * @param line known to be a click
   * @param wanted the fields whose values are read
   */
  static of(line: string, wanted: readonly (keyof ClickEvent)[]): LineLayout | undefined {
    if (line.length > LONGEST_LINE) return undefined;
    let source = "^";
    const names: string[] = [];
    const groups: string[] = [];
    let end = 0;
    for (let member = memberAt(line, 0); member !== null; member = memberAt(line, end)) {
      const [whole, separator = "", name = "", colon = "", quote, boolean, number] = member;
      end += whole.length;
      // Only the first one opens the object.
      if ((separator.trim() === "{") !== (names.length === 0) || names.includes(name)) return undefined;
      names.push(name);
      source += escaped(`${separator}"${name}"${colon}`);
      const field = wanted.find((each) => each === name);
      if (field !== undefined) groups.push(field);
      const open = field === undefined ? "(?:" : "(";
      if (isClickField(name)) {
        const { before, value } = CLICK_VALUES[name];
        source += `${before}${open}${value})${before}`;
      } else if (quote !== undefined) source += `"${TEXT}*"`;
      else if (boolean !== undefined) source += `(?:${BOOLEAN})`;
      else source += number === undefined ? "null" : NUMBER;
    }
    END.lastIndex = end;
    if (!END.test(line)) return undefined;
    const pattern = new RegExp(`${source}${escaped(line.slice(end))}$`);
    return new LineLayout(
      pattern,
      wanted.map((field) => groups.indexOf(field) + 1),
    );
  }

  /** The groups of a line of this layout; null for any other. */
  match(line: string): RegExpExecArray | null {
    return this.#pattern.exec(line);
  }
}

function text(repeat: "*" | "+"): { readonly before: string; readonly value: string } {
  return { before: '"', value: `${TEXT}${repeat}` };
}

function memberAt(line: string, at: number): RegExpExecArray | null {
  MEMBER.lastIndex = at;
  return MEMBER.exec(line);
}

function isClickField(name: string): name is keyof ClickEvent {
  return Object.hasOwn(CLICK_VALUES, name);
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
