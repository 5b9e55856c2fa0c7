import { hasOnly, isInsides, isSchema, isTexts, look } from "./look.ts";
import {
  CHECKED,
  choice,
  nullable,
  text,
  type Field,
  type FieldRule,
  type ObjectShape,
} from "./object-shape.ts";

const OBJECTS: ReadonlyMap<unknown, ObjectShape["unknown"]> = new Map([
  ["object", "strip"],
  ["loose_object", "keep"],
  ["strict_object", "refuse"],
]);
/** Properties of every schema. */
const COMMON = ["kind", "type", "reference", "expects", "async", "message", "~run", "~standard", "pipe"];

/** What can be seen of a schema of valibot 1; undefined if it is not a plain object. */
export function describeValibot(schema: unknown): ObjectShape | undefined {
  const unknown = OBJECTS.get(look(schema, "type"));
  const entries = look(schema, "entries");
  if (unknown === undefined || !isInsides(entries) || !isPlain(schema, "entries")) return undefined;
  const [, ...actions] = pipeOf(schema);
  if (actions.some((action) => look(action, "kind") === "transformation")) return undefined;
  const fields = new Map<string, Field>();
  for (const [name, field] of Object.entries(entries)) {
    if (!isSchema(field)) return undefined;
    fields.set(name, { rule: ruleOf(field), schema: field, mayBeAbsent: mayBeAbsent(field) });
  }
  return { fields, unknown, transparent: isTransparent(schema), reorders: true };
}

function isTransparent(object: unknown): boolean {
  const [first, ...actions] = pipeOf(object);
  return first === undefined || (actions.every(isMetadata) && isTransparent(first));
}

function ruleOf(schema: unknown): FieldRule {
  const [first, ...actions] = pipeOf(schema);
  if (first !== undefined)
    return pipedRule(
      ruleOf(first),
      actions.filter((action) => !isMetadata(action)),
    );
  const wrapped = look(schema, "wrapped");
  const isWrapper = isPlain(schema, "wrapped", "default") && look(schema, "default") === undefined;
  switch (look(schema, "type")) {
    case "optional":
    case "exact_optional":
      return isWrapper ? ruleOf(wrapped) : CHECKED;
    case "nullable":
    case "nullish":
      return isWrapper ? nullable(ruleOf(wrapped)) : CHECKED;
    case "string":
      return isPlain(schema) ? text(false) : CHECKED;
    case "number":
      return isPlain(schema) ? { kind: "number", nullable: false } : CHECKED;
    case "boolean":
      return isPlain(schema) ? { kind: "boolean", nullable: false } : CHECKED;
    case "literal":
      return isPlain(schema, "literal") ? choiceOf([look(schema, "literal")]) : CHECKED;
    case "picklist":
    case "enum":
      return isPlain(schema, "options", "enum") ? choiceOf(look(schema, "options")) : CHECKED;
    default:
      return CHECKED;
  }
}

/** Of what a pipe may add, only this bound is the same however length is measured. */
function pipedRule(rule: FieldRule, actions: readonly unknown[]): FieldRule {
  if (actions.length === 0) return rule;
  const isText = rule.kind === "text" && !rule.nullable;
  return isText && actions.every(isNotEmpty) ? text(true) : CHECKED;
}

function isNotEmpty(action: unknown): boolean {
  if (look(action, "kind") !== "validation") return false;
  const type = look(action, "type");
  return type === "non_empty" || (type === "min_length" && look(action, "requirement") === 1);
}

function choiceOf(values: unknown): FieldRule {
  return Array.isArray(values) && isTexts(values) ? choice(values) : CHECKED;
}

/** The object's schema looks at this type only, not at what it wraps. */
function mayBeAbsent(schema: unknown): boolean {
  const type = look(schema, "type");
  const isOptional = type === "optional" || type === "exact_optional" || type === "nullish";
  return isOptional && look(schema, "default") === undefined && look(schema, "fallback") === undefined;
}

function isMetadata(action: unknown): boolean {
  return look(action, "kind") === "metadata";
}

function pipeOf(schema: unknown): readonly unknown[] {
  const pipe = look(schema, "pipe");
  return Array.isArray(pipe) ? pipe : [];
}

function isPlain(schema: unknown, ...own: readonly string[]): boolean {
  return hasOnly(schema, [...COMMON, ...own]);
}
