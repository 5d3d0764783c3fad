import { findNodeAtOffset, getNodePath, parseTree, type Node, type ParseError } from 'jsonc-parser'

/** Where a value stands in a document: `['provider', 'llama-swap', 'npm']`. */
export type JsonPath = readonly string[]

/** A place in a text, both counted from 1. */
export type Place = { line: number; column: number }

/** A JSON text with comments, read as OpenCode reads it. */
export type JsoncDocument = { text: string; root: Node; value: unknown }

export type JsoncResult = ({ ok: true } & JsoncDocument) | ({ ok: false; message: string } & Place)

const OPTIONS = { allowTrailingComma: true, disallowComments: false }

/** Reads JSON with comments and trailing commas. A text that is none gives the place and the reason. */
export function readJsonc(text: string): JsoncResult {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, OPTIONS)
  const [first] = errors
  if (first) return { ok: false, ...placeAt(text, first.offset), message: reasonFor(first.error) }
  if (root?.type !== 'object')
    return {
      ok: false,
      ...placeAt(text, root?.offset ?? 0),
      message: 'an object "{ … }" is expected',
    }
  return { ok: true, text, root, value: valueOf(root) }
}

/** By jsonc-parser's numbers; its names are not there at run time on every host. */
const REASONS: Record<number, string> = {
  1: 'this is not JSON',
  2: 'this is not a number',
  3: 'the name of a field is expected, in double quotes',
  4: 'a value is expected',
  5: 'a colon is expected',
  6: 'a comma is expected',
  7: 'a "}" is missing',
  8: 'a "]" is missing',
  9: 'nothing is expected after the end',
  11: 'a comment has no end',
  12: 'a text has no closing quote',
  16: 'this character is not allowed here',
}

function reasonFor(code: number): string {
  return REASONS[code] ?? 'this is not JSON'
}

/** The place of a position in a text. */
export function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: offset - lineStart + 1 }
}

/** The place of a field, or of the nearest thing around it that is there. */
export function placeOf({ text, root }: JsoncDocument, path: JsonPath): Place {
  return placeAt(text, propertiesTo(root, path).at(-1)?.offset ?? 0)
}

/** How many names of a path are there. */
export function depthOf({ root }: JsoncDocument, path: JsonPath): number {
  return propertiesTo(root, path).length
}

/** The properties on the way to a field, as far as they are there. */
function propertiesTo(root: Node, path: JsonPath): Node[] {
  const found: Node[] = []
  let node: Node | undefined = root
  for (const name of path) {
    const property: Node | undefined = node && propertyOf(node, name)
    if (!property) break
    found.push(property)
    node = property.children?.[1]
  }
  return found
}

/** The way to the text that stands at a position; undefined where there is none. */
export function pathAt({ root }: JsoncDocument, offset: number): JsonPath | undefined {
  const node = findNodeAtOffset(root, offset)
  return node?.type === 'string' ? getNodePath(node).map(String) : undefined
}

/** The property of an object by its name; the last one where there are two, as in every reader of JSON. */
export function propertyOf(node: Node, name: string): Node | undefined {
  if (node.type !== 'object') return undefined
  return node.children?.findLast((property) => property.children?.[0]?.value === name)
}

/** The value of a part of the document. `__proto__` is a field like all others. */
function valueOf(node: Node): unknown {
  if (node.type === 'array') return node.children?.map(valueOf)
  if (node.type !== 'object') {
    const plain: unknown = node.value
    return plain
  }
  const fields = node.children?.map(({ children = [] }): [string, unknown] => {
    const [name, value] = children
    return [String(name?.value), value && valueOf(value)]
  })
  return Object.fromEntries(fields ?? [])
}
