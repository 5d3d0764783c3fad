import { inertJson } from './substitution.ts'

/** How a piece of JSON is laid out in the text around it. */
export type Layout = {
  /** White space before the line that the value begins on. */
  indent: string
  /** One more step to the right. */
  unit: string
  eol: string
  /** Characters of the line that stand before the value. */
  before?: number
}

export const LAYOUT: Layout = { indent: '', unit: '  ', eol: '\n' }
const WIDTH = 80

/**
 * JSON as people write it: a small object or list stands on one line where it fits, all others are spread out. OpenCode
 * finds nothing to replace in it.
 */
export function formatJson(value: unknown, layout: Layout = LAYOUT): string {
  const whole = onOneLine(value)
  const isShort = (layout.before ?? layout.indent.length) + whole.length < WIDTH
  if (!isObject(value) || (isFlat(value) && isShort)) return whole
  const inner = layout.indent + layout.unit
  const items = Array.isArray(value)
    ? value.map((item: unknown) =>
        formatJson(item, { ...layout, indent: inner, before: inner.length }),
      )
    : properties(value).map(([name, item]) => {
        const head = `${inertJson(name)}: `
        const before = inner.length + head.length
        return head + formatJson(item, { ...layout, indent: inner, before })
      })
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  if (items.length === 0) return open + close
  const { eol, indent } = layout
  return `${open}${eol}${inner}${items.join(`,${eol}${inner}`)}${eol}${indent}${close}`
}

function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`
  if (!isObject(value)) return inertJson(value)
  const items = properties(value).map(([name, item]) => `${inertJson(name)}: ${onOneLine(item)}`)
  return items.length === 0 ? '{}' : `{ ${items.join(', ')} }`
}

/** JSON has no undefined. */
function properties(value: object): Array<[string, unknown]> {
  return Object.entries(value).filter(([, item]) => item !== undefined)
}

/** Holds values and lists, but no object. */
function isFlat(value: object): boolean {
  return Object.values(value).every((item) =>
    Array.isArray(item) ? !item.some(isObject) : !isObject(item),
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
