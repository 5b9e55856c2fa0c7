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
 * number 5 and for the text "5". In double quotes it is a text only. A missing field is null. `!=` holds wherever `=` does not. Numbers have an order, and so have
 * texts, which are compared as numbers if both are numbers.
 *
 * @throws RangeError
 */
export function parseCondition(text: string): Condition {
  const [, path = "", sign = "", given = ""] = FORM.exec(text) ?? [];
  // `=>`, `=<` and `!field=value` would else be other conditions than they look like.
  if (path === "" || path.startsWith("!") || (sign === "=" && /^[<>]/.test(given))) {
    throw new RangeError(
      `${JSON.stringify(text)} is no condition: give a field, one of = != < <= > >=, and a value, such as amount>=10`,
    );
  }
  const field = parseField(path);
  const test = testOf(sign === "==" ? "=" : (sign as Operator), rightSide(given.trim()));
  return { text, field, holds: (event) => test(field.of(event)) };
}

function rightSide(given: string): RightSide {
  const [, quoted] = /^"(.*)"$/s.exec(given) ?? [];
  if (quoted !== undefined) return { text: quoted, number: undefined, boolean: undefined, isNull: false };
  return {
    text: given,
    number: numberOf(given),
    boolean: given === "true" ? true : given === "false" ? false : undefined,
    isNull: given === "null",
  };
}

/** A decimal number; `undefined`: the text is none. */
export function numberOf(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function testOf(operator: Operator, right: RightSide): (left: unknown) => boolean {
  switch (operator) {
    case "=":
      return (left) => isEqual(left, right);
    case "!=":
      return (left) => !isEqual(left, right);
    case "<":
      return (left) => difference(left, right) < 0;
    case "<=":
      return (left) => difference(left, right) <= 0;
    case ">":
      return (left) => difference(left, right) > 0;
    case ">=":
      return (left) => difference(left, right) >= 0;
  }
}

function isEqual(left: unknown, { text, number, boolean, isNull }: RightSide): boolean {
  switch (typeof left) {
    case "string":
      return left === text;
    case "number":
      return left === number;
    case "boolean":
      return left === boolean;
    default:
      return isNull && (left === undefined || left === null);
  }
}

/** Below 0, 0 or above it, as the left side is less, equal or greater; NaN: they have no order. */
function difference(left: unknown, { text, number }: RightSide): number {
  if (typeof left === "number") return left - (number ?? Number.NaN);
  if (typeof left !== "string") return Number.NaN;
  const asNumber = number === undefined ? undefined : numberOf(left);
  // The order of texts has 9 after 10.
  if (number !== undefined && asNumber !== undefined) return asNumber - number;
  if (left === text) return 0;
  return left < text ? -1 : 1;
}
