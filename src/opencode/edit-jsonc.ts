import type { Node } from 'jsonc-parser'
import { formatJson, type Layout } from './format-json.ts'
import { propertyOf, readJsonc, type JsonPath } from './jsonc.ts'
import { inertJson } from './substitution.ts'

/** A field to set, or to remove where the value is undefined. */
export type JsoncChange = { path: JsonPath; value: unknown }

type Splice = { start: number; end: number; text: string }

/**
 * Changes fields of a JSON text and nothing else: comments, order, indentation, line ends and trailing commas stay.
 * A new field goes to the end of its object, with the objects around it where they are missing.
 *
 * @throws Error when the text is not JSON with comments, or a field is to be set in something that is no object
 */
export function changeJsonc(text: string, changes: readonly JsoncChange[]): string {
  return changes.reduce(changeOne, text)
}

function changeOne(text: string, { path, value }: JsoncChange): string {
  const document = readJsonc(text)
  if (!document.ok) throw new Error(document.message)
  let parent = document.root
  for (const [depth, name] of path.entries()) {
    const property = propertyOf(parent, name)
    const isLast = depth === path.length - 1
    if (!property)
      return value === undefined ? text : insert(text, parent, nested(path.slice(depth), value))
    if (isLast)
      return value === undefined ? remove(text, parent, property) : replace(text, property, value)
    parent = property.children![1]!
  }
  return text
}

type Field = { name: string; value: unknown }

/** The first missing field, holding all the others. */
function nested(path: JsonPath, value: unknown): Field {
  const [name = '', ...rest] = path
  return { name, value: rest.reduceRight((inner, field) => ({ [field]: inner }), value) }
}

function replace(text: string, property: Node, value: unknown): string {
  const old = property.children![1]!
  const before = old.offset - lineStartAt(text, old.offset)
  const layout = { ...styleOf(text), indent: indentAt(text, property.offset), before }
  return spliced(text, [{ start: old.offset, end: endOf(old), text: formatJson(value, layout) }])
}

function insert(text: string, parent: Node, field: Field): string {
  if (parent.type !== 'object')
    throw new Error(`${field.name} cannot be set: it is not in an object`)
  const last = parent.children?.at(-1)
  const inside = text.slice(parent.offset, endOf(parent))
  if (last && !inside.includes('\n')) return insertInline(text, last, field)
  return last ? insertLine(text, last, field) : insertFirst(text, parent, field)
}

function insertInline(text: string, last: Node, field: Field): string {
  const comma = commaAfter(text, endOf(last))
  const written = `${inertJson(field.name)}: ${formatJson(field.value, { ...styleOf(text), indent: indentAt(text, last.offset), before: 0 })}`
  if (comma === undefined) return spliced(text, [at(endOf(last), `, ${written}`)])
  return spliced(text, [at(comma + 1, ` ${written},`)])
}

/** Below the last field, and below a comment that stands on the same line. */
function insertLine(text: string, last: Node, field: Field): string {
  const style = styleOf(text)
  const comma = commaAfter(text, endOf(last))
  const below = endOfLine(text, comma === undefined ? endOf(last) : comma + 1)
  const line = style.eol + lineOf(field, { ...style, indent: indentAt(text, last.offset) })
  if (comma !== undefined) return spliced(text, [at(below, `${line},`)])
  // Where both stand at one place, what is put in later comes first.
  return spliced(text, [at(below, line), at(endOf(last), ',')])
}

function insertFirst(text: string, parent: Node, field: Field): string {
  const style = styleOf(text)
  const indent = indentAt(text, parent.offset)
  const close = endOf(parent) - 1
  const start = close - (/\s*$/.exec(text.slice(parent.offset + 1, close))?.[0].length ?? 0)
  const line = lineOf(field, { ...style, indent: indent + style.unit })
  return spliced(text, [{ start, end: close, text: `${style.eol}${line}${style.eol}${indent}` }])
}

function lineOf({ name, value }: Field, layout: Layout): string {
  const head = `${layout.indent}${inertJson(name)}: `
  return head + formatJson(value, { ...layout, before: head.length })
}

/** Takes a field out with its comma, and its line where nothing else stands there. */
function remove(text: string, parent: Node, gone: Node): string {
  const comma = commaAfter(text, endOf(gone))
  const previous = parent.children![parent.children!.indexOf(gone) - 1]
  const splices: Splice[] = [wholeLines(text, { start: gone.offset, end: endOf(gone), text: '' })]
  if (comma !== undefined) {
    const isNext = text.slice(endOf(gone), comma).trim() === ''
    if (isNext) splices[0] = wholeLines(text, { start: gone.offset, end: comma + 1, text: '' })
    else splices.push({ start: comma, end: comma + 1, text: '' })
  } else if (previous) {
    const before = commaAfter(text, endOf(previous))
    if (before !== undefined) splices.unshift({ start: before, end: before + 1, text: '' })
  }
  return spliced(text, splices)
}

function wholeLines(text: string, { start, end }: Splice): Splice {
  const before = /[ \t]*$/.exec(text.slice(0, start))?.[0].length ?? 0
  const after = /^[ \t]*/.exec(text.slice(end))?.[0].length ?? 0
  const isFirst = start === before || text[start - before - 1] === '\n'
  const rest = text.slice(end + after)
  const eol = /^\r?\n/.exec(rest)?.[0]
  if (isFirst && eol !== undefined)
    return { start: start - before, end: end + after + eol.length, text: '' }
  return { start, end: end + after, text: '' }
}

/** The position of the comma that follows, past blanks and comments. */
function commaAfter(text: string, offset: number): number | undefined {
  const trivia = /^(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/.exec(text.slice(offset))?.[0].length ?? 0
  return text[offset + trivia] === ',' ? offset + trivia : undefined
}

/** Past blanks and comments to the end of the line, or to whatever else comes first. */
function endOfLine(text: string, offset: number): number {
  const trivia = /^(?:[ \t]*(?:\/\/[^\r\n]*|\/\*[^]*?\*\/))*/.exec(text.slice(offset))
  return offset + (trivia?.[0].length ?? 0)
}

function styleOf(text: string): Layout {
  const unit = /\{\s*?\r?\n([ \t]+)\S/.exec(text)?.[1] ?? '  '
  return { indent: '', unit, eol: text.includes('\r\n') ? '\r\n' : '\n' }
}

function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStartAt(text, offset)))?.[0] ?? ''
}

function lineStartAt(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

function endOf(node: Node): number {
  return node.offset + node.length
}

function at(offset: number, text: string): Splice {
  return { start: offset, end: offset, text }
}

/** From the end to the beginning, so that positions hold. */
function spliced(text: string, splices: readonly Splice[]): string {
  return splices
    .toSorted((a, b) => b.start - a.start)
    .reduce(
      (whole, { start, end, text: put }) => whole.slice(0, start) + put + whole.slice(end),
      text,
    )
}
