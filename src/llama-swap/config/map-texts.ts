/** A text in a configuration, with its place: `models.a.cmd`, `groups.g.members[0]`. */
export type TextChange = (text: string, place: string) => string

/** A value of YAML with every text in it changed; keys stay. */
export function mapTexts(value: unknown, change: TextChange, place = ''): unknown {
  if (typeof value === 'string') return change(value, place)
  if (Array.isArray(value)) {
    const items: unknown[] = value
    return items.map((item, i) => mapTexts(item, change, `${place}[${i}]`))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapTexts(item, change, placeOf(place, key))]),
  )
}

/** The place of a key in the mapping at `place`. */
export function placeOf(place: string, key: string): string {
  return place === '' ? key : `${place}.${key}`
}
