/** What a snapshot is made of: anything `JSON.stringify` gives back unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [field: string]: Json };

/** Turns an event's value into JSON and back, where the engine has to keep events themselves (`ordered`). */
export interface JsonCodec<T> {
  /** The value as JSON. */
  snapshot(value: T): Json;
  /** The value that `snapshot` told of. */
  restore(state: Json): T;
}
