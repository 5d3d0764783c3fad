const LONGEST = 80

/** Text of a client as an error repeats it: its beginning, where it is long. */
export function shortText(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
