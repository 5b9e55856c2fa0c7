/** Fields of a result that are shown as numbers. */
const MAX_MEASURES = 20;
/** Bytes of a result that is kept whole, by estimate. */
const MAX_VALUE_BYTES = 1_000;
const MAX_DEPTH = 6;

/** The numbers of a result by the name of their field; of a number itself `value`. Only finite ones. */
export function numbersOf(value: unknown): Readonly<Record<string, number>> {
  if (typeof value === "number") return Number.isFinite(value) ? { value } : {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  const numbers = Object.entries(value).filter(
    (field): field is [string, number] => typeof field[1] === "number" && Number.isFinite(field[1]),
  );
  return Object.fromEntries(numbers.slice(0, MAX_MEASURES));
}

/** A result that is small and has a JSON form, and its size by estimate; `null`: it is cut. */
export function keptValue(value: unknown): { readonly value: unknown; readonly bytes: number } {
  const left = roomAfter(value, MAX_VALUE_BYTES, MAX_DEPTH);
  return left < 0 ? { value: null, bytes: 0 } : { value, bytes: MAX_VALUE_BYTES - left };
}

/** What is left of `room` bytes; negative: too large, too deep, or without a JSON form. */
function roomAfter(value: unknown, room: number, depth: number): number {
  switch (typeof value) {
    case "string":
      return room - 2 * value.length;
    case "number":
    case "boolean":
    case "undefined":
      return room - 8;
    case "object":
      break;
    default:
      return -1;
  }
  if (value === null) return room - 8;
  if (depth === 0 || !isPlain(value)) return -1;
  let left = room - 16;
  for (const [name, field] of Object.entries(value)) {
    left = roomAfter(field, left - 2 * name.length, depth - 1);
    if (left < 0) return left;
  }
  return left;
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !("toJSON" in value);
}
