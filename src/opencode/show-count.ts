/** A number as people read it: `131,072`. */
export function showCount(value: number): string {
  return value.toLocaleString('en-GB')
}
