import {
  isAlias,
  isCollection,
  isPair,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type ErrorCode,
  type Tags,
} from 'yaml'

/** One file of YAML, read once. */
export type YamlFile = {
  /** Every scalar is text, as it stands there. */
  texts: unknown
  /** The same with numbers as YAML 1.1 reads them, which llama-swap does for macros: `0x10` is 16. */
  numbers: unknown
}

/** What an owner writes has some thousand; a few anchors in one another make billions of it. */
const MOST_VALUES = 200_000
const MOST_LEVELS = 200

const OPTIONS = {
  schema: 'yaml-1.1',
  // Truth values, dates and the like stay texts.
  customTags: (tags: Tags): Tags =>
    tags.filter((tag) => typeof tag === 'string' || /:(?:map|seq|str|int|float)$/.test(tag.tag)),
  merge: true,
  logLevel: 'error',
  uniqueKeys: (a: unknown, b: unknown) => writtenAs(a) === writtenAs(b),
} as const

function writtenAs(key: unknown): unknown {
  return typeof key === 'object' && key !== null && 'source' in key ? key.source : key
}

/**
 * Reads a file of YAML; anchors and merge keys are filled in.
 *
 * @throws Error with line and column in words of ours: yaml's own repeat what stands in the file, which holds keys
 */
export function readYaml(text: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { ...OPTIONS, lineCounter: lines })
  const [error] = document.errors
  if (error) throw faultAt(lines, error.pos[0], `${wordsFor(error.code)} (${error.code})`)
  new Measure(lines).sizeOf(document.contents)
  const numbers = filledIn(document)
  visit(document, {
    Scalar(_, scalar) {
      // The key `<<` is a symbol.
      if (!['string', 'symbol'].includes(typeof scalar.value)) scalar.value = scalar.source ?? ''
    },
  })
  return { texts: filledIn(document), numbers }
}

function filledIn(document: Document): unknown {
  try {
    // Counted above, by what becomes of them.
    const value: unknown = document.toJS({ maxAliasCount: -1 })
    return value
  } catch {
    throw new Error('a merge key (<<) must name a mapping, or a list of mappings')
  }
}

type Size = { values: number; levels: number }

/** Counts what a document holds when all of its anchors are filled in, before that is done. */
class Measure {
  readonly #lines: LineCounter
  /** What the anchors before this place stand for; undefined while one is being counted. */
  readonly #anchors = new Map<string, Size | undefined>()

  constructor(lines: LineCounter) {
    this.#lines = lines
  }

  sizeOf(node: unknown, depth = 0): Size {
    if (isAlias(node)) return this.#sizeOfAlias(node.source, placeOf(node))
    const anchor = anchorOf(node)
    if (anchor !== undefined) this.#anchors.set(anchor, undefined)
    const size = { values: 1, levels: 0 }
    for (const part of partsOf(node)) {
      const { values, levels } = this.sizeOf(part, depth + 1)
      size.values += values
      size.levels = Math.max(size.levels, levels + 1)
    }
    if (depth > MOST_LEVELS || size.levels > MOST_LEVELS) throw this.#fault(node, TOO_DEEP)
    if (size.values > MOST_VALUES) throw this.#fault(node, TOO_MANY)
    if (anchor !== undefined) this.#anchors.set(anchor, size)
    return size
  }

  #sizeOfAlias(name: string, place: number): Size {
    const size = this.#anchors.get(name)
    if (size) return size
    const why = this.#anchors.has(name) ? 'an anchor (&) holds itself' : NO_ANCHOR
    throw faultAt(this.#lines, place, why)
  }

  #fault(node: unknown, why: string): Error {
    return faultAt(this.#lines, placeOf(node), why)
  }
}

const TOO_DEEP = `lists and mappings stand in one another more than ${MOST_LEVELS} deep`
const TOO_MANY = `with its anchors filled in this holds more than ${MOST_VALUES.toLocaleString('en')} values`
const NO_ANCHOR = 'an alias (*) names an anchor (&) that does not stand before it'

function partsOf(node: unknown): readonly unknown[] {
  if (isPair(node)) return [node.key, node.value]
  return isCollection(node) ? node.items : []
}

function anchorOf(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null || !('anchor' in node)) return undefined
  return typeof node.anchor === 'string' ? node.anchor : undefined
}

function placeOf(node: unknown): number {
  const range = isPair(node) ? rangeOf(node.key) : rangeOf(node)
  return range ?? 0
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined
  const range: unknown = Array.isArray(node.range) ? node.range[0] : undefined
  return typeof range === 'number' ? range : undefined
}

function faultAt(lines: LineCounter, place: number, why: string): Error {
  const { line, col } = lines.linePos(place)
  return new Error(`line ${line}, column ${col}: ${why}`)
}

const WORDS: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_ALIAS: 'a * or & without a good name behind it; a text that begins so needs quotes',
  BAD_DQ_ESCAPE: 'a backslash in double quotes without a letter that it goes with',
  BAD_INDENT: 'the indentation does not fit, or a bracket is not closed',
  BAD_SCALAR_START: 'a text that begins with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a text with ": " in it needs quotes, or the indentation does not fit',
  DUPLICATE_KEY: 'this key stands there already',
  MISSING_CHAR: 'a quote, bracket, comma, colon or space is missing',
  MULTILINE_IMPLICIT_KEY: 'a colon is missing behind a key',
  MULTIPLE_DOCS: 'a second document begins here',
  RESOURCE_EXHAUSTION: TOO_DEEP,
  TAB_AS_INDENT: 'a tab stands where only spaces may',
  UNEXPECTED_TOKEN: 'something stands where nothing may stand',
}

function wordsFor(code: ErrorCode): string {
  return WORDS[code] ?? 'this is not YAML'
}
