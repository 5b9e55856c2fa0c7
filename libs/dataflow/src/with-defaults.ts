/**
 * Options with their defaults filled in. An option that is `undefined` counts as absent, while a spread of both objects
 * would keep it: options that are assembled from others, or come from JavaScript, often have some.
 */
export function withDefaults<T extends object>(
  defaults: T,
  options: { readonly [K in keyof T]?: T[K] | undefined },
): T {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}
