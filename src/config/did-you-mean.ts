/** Edit distance (Damerau-Levenshtein, optimal string alignment) of two short words. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i])
  for (let j = 1; j <= b.length; j++) rows[0]![j] = j
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) rows[i]![j] = cell(rows, { a, b, i, j })
  return rows[a.length]![b.length]!
}

function cell(
  rows: number[][],
  { a, b, i, j }: { a: string; b: string; i: number; j: number },
): number {
  const swap = a[i - 1] === b[j - 1] ? 0 : 1
  const best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + swap)
  const crossed = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
  return crossed ? Math.min(best, rows[i - 2]![j - 2]! + 1) : best
}

const LONGEST_COMPARED = 64

/** The known word that a mistyped one most likely stands for: at most a third of its letters differ. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  if (word.length > LONGEST_COMPARED) return undefined
  const wanted = word.toLowerCase()
  const ranked = [...known]
    .filter((candidate) => candidate.length <= LONGEST_COMPARED)
    .map((candidate) => ({ candidate, off: distance(wanted, candidate.toLowerCase()) }))
    .toSorted((a, b) => a.off - b.off)
  const best = ranked[0]
  return best && best.off <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined
}
