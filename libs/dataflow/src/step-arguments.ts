/** Arguments of a step, with or without its name; the others never start with a string. */
export type Named<A extends readonly unknown[]> = A | readonly [id: string, ...rest: A];

/** Whether the name is given. */
export function isNamed<A extends readonly unknown[]>(
  given: Named<A>,
): given is readonly [id: string, ...rest: A] {
  return typeof given[0] === "string";
}
