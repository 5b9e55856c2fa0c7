/**
 * Options with their defaults filled in. One that is `undefined` counts as not given, which a spread of both objects would
 * take for a choice: options that are put together out of others, or from JavaScript, often have some.
 */
export function withDefaults<T extends object>(
  defaults: T,
  options: { readonly [K in keyof T]?: T[K] | undefined },
): T {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}
