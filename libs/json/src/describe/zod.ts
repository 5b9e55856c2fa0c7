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

/** What can be seen of a schema of zod 4, mini or not; undefined if it is not a plain object. */
export function describeZod(schema: unknown): ObjectShape | undefined {
  const def = defOf(schema);
  const shape = look(def, "shape");
  if (look(def, "type") !== "object" || !isInsides(shape)) return undefined;
  const fields = new Map<string, Field>();
  for (const [name, field] of Object.entries(shape)) {
    if (!isSchema(field)) return undefined;
    fields.set(name, { rule: ruleOf(field), schema: field, mayBeAbsent: mayBeAbsent(field) });
  }
  const rest = restOf(look(def, "catchall"));
  const transparent =
    rest !== undefined &&
    checksOf(def).length === 0 &&
    hasOnly(def, ["type", "shape", "catchall", "checks", "error"]);
  return { fields, unknown: rest ?? "keep", transparent, reorders: true };
}

/** What happens to other fields; undefined if their values are validated. */
function restOf(catchall: unknown): ObjectShape["unknown"] | undefined {
  if (catchall === undefined) return "strip";
  const def = defOf(catchall);
  if (!hasOnly(def, ["type", "error"])) return undefined;
  const type = look(def, "type");
  if (type === "never") return "refuse";
  return type === "unknown" || type === "any" ? "keep" : undefined;
}

function ruleOf(schema: unknown): FieldRule {
  const def = defOf(schema);
  const inner = look(def, "innerType");
  switch (look(def, "type")) {
    case "optional":
      return hasOnly(def, ["type", "innerType", "error"]) ? ruleOf(inner) : CHECKED;
    case "nullable":
      return hasOnly(def, ["type", "innerType", "error"]) ? nullable(ruleOf(inner)) : CHECKED;
    case "string":
      return textRule(def);
    case "number":
      return isBare(def) ? { kind: "number", nullable: false } : CHECKED;
    case "boolean":
      return isBare(def) ? { kind: "boolean", nullable: false } : CHECKED;
    case "enum":
      return choiceOf(def, Object.values(look(def, "entries") ?? {}), "entries");
    case "literal": {
      const values = look(def, "values");
      return choiceOf(def, Array.isArray(values) ? values : [undefined], "values");
    }
    default:
      return CHECKED;
  }
}

function textRule(def: unknown): FieldRule {
  if (!hasOnly(def, ["type", "checks", "error"])) return CHECKED;
  const checks = checksOf(def).map(defOf);
  return checks.every(isNotEmpty) ? text(checks.length > 0) : CHECKED;
}

/** The one bound on texts that is the same however length is measured. */
function isNotEmpty(check: unknown): boolean {
  return (
    look(check, "check") === "min_length" &&
    look(check, "minimum") === 1 &&
    hasOnly(check, ["check", "minimum", "when", "error"])
  );
}

function choiceOf(def: unknown, values: readonly unknown[], name: string): FieldRule {
  return isTexts(values) && hasOnly(def, ["type", name, "error"]) ? choice(values) : CHECKED;
}

function mayBeAbsent(schema: unknown): boolean {
  const absent = (name: string): boolean => look(schema, "_zod", name) === "optional";
  return look(defOf(schema), "type") === "optional" && absent("optin") && absent("optout");
}

function isBare(def: unknown): boolean {
  return checksOf(def).length === 0 && hasOnly(def, ["type", "checks", "error"]);
}

function checksOf(def: unknown): readonly unknown[] {
  const checks = look(def, "checks");
  return Array.isArray(checks) ? checks : [];
}

function defOf(schemaOrCheck: unknown): unknown {
  return look(schemaOrCheck, "_zod", "def");
}
