import type { FieldRule } from "../describe/object-shape.ts";

/** Inside a JSON string: any character that needs no escape. */
export const TEXT = String.raw`[^"\\\x00-\x1f]`;
export const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;
/** Excludes a number that is too large, which JSON.parse reads as Infinity: libraries treat it differently. */
const FINITE_NUMBER = String.raw`-?(?:0|[1-9]\d{0,19})(?:\.\d+)?(?:[eE][+-]?\d{1,2})?`;
export const BOOLEAN = "true|false";

const UNESCAPED = new RegExp(`^${TEXT}*$`);

/** The types that a value may have in a flat object. */
export type ValueType = "text" | "number" | "boolean" | "null";

/** What begins the part of a value that is read: a group of its own, or none. */
export type Open = "(" | "(?:";

/** All values of a type. A text's quotes are outside the group. */
export function typePattern(type: ValueType, open: Open, number = NUMBER): string {
  switch (type) {
    case "text":
      return `"${open}${TEXT}*)"`;
    case "number":
      return `${open}${number})`;
    case "boolean":
      return `${open}${BOOLEAN})`;
    case "null":
      return `${open}null)`;
  }
}

/** All values of a rule that are written without escapes. For a null the group is empty. */
export function rulePattern(rule: Exclude<FieldRule, { readonly kind: "checked" }>, open: Open): string {
  const pattern = notNullPattern(rule, open);
  return rule.nullable ? `(?:${pattern}|null)` : pattern;
}

function notNullPattern(rule: Exclude<FieldRule, { readonly kind: "checked" }>, open: Open): string {
  switch (rule.kind) {
    case "text":
      return `"${open}${TEXT}${rule.nonEmpty ? "+" : "*"})"`;
    case "choice":
      return `"${open}${textsPattern(rule.texts)})"`;
    case "number":
    case "boolean":
      return typePattern(rule.kind, open, FINITE_NUMBER);
  }
}

/** Texts that need escapes are left out: a line without escapes cannot have them. */
function textsPattern(texts: ReadonlySet<string>): string {
  const plain = [...texts].filter((text) => UNESCAPED.test(text)).map(escaped);
  return plain.length === 0 ? "(?!)" : plain.join("|");
}

/** A pattern that matches only this text. */
export function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
