/** What a step takes, with or without its name; the rest does not begin with a text. */
export type Named<A extends readonly unknown[]> = A | readonly [id: string, ...rest: A];

/** Whether the name is given. */
export function isNamed<A extends readonly unknown[]>(
  given: Named<A>,
): given is readonly [id: string, ...rest: A] {
  return typeof given[0] === "string";
}
