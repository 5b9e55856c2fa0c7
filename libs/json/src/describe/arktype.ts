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

/** What can be seen of a type of arktype 2, by its `json`; undefined if it is not a plain object. */
export function describeArktype(schema: unknown): ObjectShape | undefined {
  const json = look(schema, "json");
  if (look(json, "domain") !== "object" || look(json, "sequence") !== undefined) return undefined;
  const fields = new Map<string, Field>();
  for (const [entries, optional] of [
    [look(json, "required"), false],
    [look(json, "optional"), true],
  ] as const) {
    for (const entry of Array.isArray(entries) ? entries : []) {
      const name = look(entry, "key");
      if (typeof name !== "string") return undefined;
      const field = fieldOf(schema, name);
      if (!isSchema(field)) return undefined;
      const mayBeAbsent = optional && hasOnly(entry, ["key", "value"]);
      fields.set(name, { rule: ruleOf(look(entry, "value")), schema: field, mayBeAbsent });
    }
  }
  const transparent = hasOnly(json, ["domain", "required", "optional", "undeclared", "meta"]);
  return { fields, unknown: restOf(look(json, "undeclared")), transparent, reorders: false };
}

function restOf(undeclared: unknown): ObjectShape["unknown"] {
  if (undeclared === "reject") return "refuse";
  return undeclared === "delete" ? "strip" : "keep";
}

/** The type of a field. */
function fieldOf(schema: unknown, name: string): unknown {
  const get = look(schema, "get");
  return typeof get === "function" ? get.call(schema, name) : undefined;
}

function ruleOf(value: unknown): FieldRule {
  if (!Array.isArray(value)) return branchRule(value);
  const branches = value.filter((branch) => !isUnit(branch, null));
  const rule = unionRule(branches);
  return branches.length < value.length ? nullable(rule) : rule;
}

function unionRule(branches: readonly unknown[]): FieldRule {
  if (branches.length === 1) return branchRule(branches[0]);
  const isBoolean = branches.length === 2 && branches.some((branch) => isUnit(branch, true));
  if (isBoolean && branches.some((branch) => isUnit(branch, false)))
    return { kind: "boolean", nullable: false };
  return unitsRule(branches);
}

function branchRule(branch: unknown): FieldRule {
  if (branch === "string") return text(false);
  if (branch === "number") return { kind: "number", nullable: false };
  if (look(branch, "unit") !== undefined) return unitsRule([branch]);
  const domain = look(branch, "domain");
  if (domain === "number" && hasOnly(branch, ["domain", "meta"])) return { kind: "number", nullable: false };
  if (domain !== "string" || !hasOnly(branch, ["domain", "meta", "minLength"])) return CHECKED;
  const minLength = look(branch, "minLength");
  // The type checks other bounds: there are two ways to measure length.
  return minLength === undefined || minLength === 1 ? text(minLength === 1) : CHECKED;
}

function unitsRule(branches: readonly unknown[]): FieldRule {
  const values = branches.map((branch) => (hasOnly(branch, ["unit"]) ? look(branch, "unit") : undefined));
  return isTexts(values) && values.length > 0 ? choice(values) : CHECKED;
}

function isUnit(branch: unknown, unit: boolean | null): boolean {
  return isInsides(branch) && hasOnly(branch, ["unit"]) && branch["unit"] === unit;
}
