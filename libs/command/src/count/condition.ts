import { parseField } from "./field.ts";
import type { Field } from "./field.ts";

/** What events must have to be counted. */
export interface Condition {
  /** As it is typed. */
  readonly text: string;
  readonly field: Field;
  readonly holds: (event: object) => boolean;
}

type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** The right side as each type that a field may have; `undefined`: it is no such value. */
interface RightSide {
  readonly text: string;
  readonly number: number | undefined;
  readonly boolean: boolean | undefined;
  readonly isNull: boolean;
}

const FORM = /^(.+?)\s*(==|!=|<=|>=|=|<|>)\s*(.*)$/s;

/**
 * Reads `<field><operator><value>`. The value is read by the type that the field has in an event: `a=5` holds for the
 * number 5 and for the text "5". A missing field is null. `!=` holds wherever `=` does not; an order between values of
 * different types never holds.
 *
 * @throws RangeError
 */
export function parseCondition(text: string): Condition {
  const [, path = "", sign = "", value = ""] = FORM.exec(text) ?? [];
  if (path === "") {
    throw new RangeError(
      `${JSON.stringify(text)} is no condition: give a field, one of = != < <= > >=, and a value, such as amount>=10`,
    );
  }
  const field = parseField(path);
  const test = testOf(sign === "==" ? "=" : (sign as Operator), {
    text: value,
    number: numberOf(value),
    boolean: value === "true" ? true : value === "false" ? false : undefined,
    isNull: value === "null",
  });
  return { text, field, holds: (event) => test(field.of(event)) };
}

/** A decimal number; `undefined`: the text is none. */
export function numberOf(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function testOf(operator: Operator, right: RightSide): (left: unknown) => boolean {
  const compared = (left: unknown): number => compare(left, right);
  switch (operator) {
    case "=":
      return (left) => compared(left) === 0;
    case "!=":
      return (left) => compared(left) !== 0;
    case "<":
      return (left) => compared(left) < 0;
    case "<=":
      return (left) => compared(left) <= 0;
    case ">":
      return (left) => compared(left) > 0;
    case ">=":
      return (left) => compared(left) >= 0;
  }
}

/** Below 0, 0 or above it, as the left side is less, equal or greater; NaN: they cannot be compared. */
function compare(left: unknown, { text, number, boolean, isNull }: RightSide): number {
  switch (typeof left) {
    case "string":
      return left === text ? 0 : left < text ? -1 : 1;
    case "number":
      return number === undefined ? Number.NaN : left - number;
    case "boolean":
      return boolean === undefined ? Number.NaN : Number(left) - Number(boolean);
    default:
      return isNull && (left === undefined || left === null) ? 0 : Number.NaN;
  }
}
