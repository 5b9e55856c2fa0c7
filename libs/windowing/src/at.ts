/** An element that is known to exist: for loops over columns of equal length. */
export function at<T>(list: readonly T[], index: number): T {
  return list[index] as T;
}
