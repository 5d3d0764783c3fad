import { startsWith } from './starts-with.ts'

/**
 * Reads the top level of a JSON object without building it. The whole text is checked against RFC 8259's grammar,
 * because llama-swap's reader is lenient (`{"model":"a"} trailing` routes to a) and takes the first of two equal names,
 * llama-server the last. String contents are skipped natively: prompts are megabytes, structure is a few hundred bytes.
 */

/** Where a member's value stands: `body.subarray(start, end)` is its JSON text. */
export type Span = {
  start: number
  end: number
  /** Of a value that is a list: nobody needs to build it in order to count. */
  list?: ListSize
}

/** How many entries a list has, and how many of these are numbers. */
export type ListSize = { items: number; numbers: number }

/** A JSON object as it came, and where its top-level members stand in it. */
export type ScannedObject = {
  body: Uint8Array<ArrayBuffer>
  members: ReadonlyMap<string, Span>
}

export type JsonScan =
  | { ok: true; members: ReadonlyMap<string, Span> }
  | { ok: false; problem: Exclude<Problem, 'duplicate'>; at: number }
  | { ok: false; problem: 'duplicate'; at: number; name: string }

type Problem =
  | 'not-an-object'
  | 'syntax'
  | 'too-deep'
  | 'too-many-members'
  | 'name-too-long'
  | 'duplicate'

/** Deeper nesting than any client sends; llama-server's own parser recurses. */
const MAX_DEPTH = 128

/** The depth of the values of the top level's members. */
const MEMBER_DEPTH = 2

/** Names are decoded and kept as long as the request: without a bound, a body of nothing else takes gigabytes. */
const MAX_MEMBERS = 1000
/** In bytes of JSON, with the quotes. */
const LONGEST_NAME = 1024

class JsonProblem extends Error {
  readonly problem: Problem
  readonly at: number
  readonly member: string
  constructor(problem: Problem, at: number, member = '') {
    super(problem)
    this.problem = problem
    this.at = at
    this.member = member
  }
}

/** Scans a whole body; `at` in a problem is a byte offset. */
export function scanJsonObject(body: Uint8Array): JsonScan {
  try {
    return { ok: true, members: new Scanner(body).topLevel() }
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error
    const { problem, at, member } = error
    return problem === 'duplicate'
      ? { ok: false, problem, at, name: member }
      : { ok: false, problem, at }
  }
}

const code = (char: string): number => char.charCodeAt(0)
const QUOTE = code('"')
const BACKSLASH = code('\\')
const COMMA = code(',')
const COLON = code(':')
const OPEN_OBJECT = code('{')
const CLOSE_OBJECT = code('}')
const OPEN_ARRAY = code('[')
const CLOSE_ARRAY = code(']')
const ZERO = code('0')
const NINE = code('9')
const MINUS = code('-')
const PLUS = code('+')
const DOT = code('.')
const LITERALS = ['true', 'false', 'null'].map((word) => Uint8Array.from(word, code))
/** In bytes: what ends so soon is read faster by hand than by a native call. */
const SHORT_STRING = 8
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

class Scanner {
  readonly #bytes: Uint8Array
  #at = 0
  /** Of the newest list that is a member's value. */
  #list: ListSize | undefined

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  topLevel(): ReadonlyMap<string, Span> {
    this.#skipSpace()
    if (this.#bytes[this.#at] !== OPEN_OBJECT) throw new JsonProblem('not-an-object', this.#at)
    const members = new Map<string, Span>()
    this.#members(1, (nameStart, nameEnd) => {
      if (members.size === MAX_MEMBERS) throw new JsonProblem('too-many-members', nameStart)
      if (nameEnd - nameStart > LONGEST_NAME) throw new JsonProblem('name-too-long', nameStart)
      const name = this.#nameAt(nameStart, nameEnd)
      if (members.has(name)) throw new JsonProblem('duplicate', nameStart, name)
      members.set(name, this.#member())
    })
    this.#skipSpace()
    if (this.#at < this.#bytes.length) this.#fail()
    return members
  }

  #member(): Span {
    const start = this.#at
    this.#value(MEMBER_DEPTH)
    const isList = this.#bytes[start] === OPEN_ARRAY
    return { start, end: this.#at, ...(isList && this.#list && { list: this.#list }) }
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) throw new JsonProblem('too-deep', this.#at)
    const first = this.#bytes[this.#at]
    if (first === QUOTE) return this.#string()
    if (first === OPEN_OBJECT) return this.#members(depth)
    if (first === OPEN_ARRAY) return this.#array(depth)
    if (this.#isNumber()) return this.#number()
    this.#literal()
  }

  #members(depth: number, member?: (nameStart: number, nameEnd: number) => void): void {
    if (depth > MAX_DEPTH) throw new JsonProblem('too-deep', this.#at)
    this.#at++
    this.#skipSpace()
    if (this.#take(CLOSE_OBJECT)) return
    do {
      this.#skipSpace()
      const nameStart = this.#at
      this.#string()
      const nameEnd = this.#at
      this.#skipSpace()
      this.#expect(COLON)
      this.#skipSpace()
      if (member) member(nameStart, nameEnd)
      else this.#value(depth + 1)
      this.#skipSpace()
    } while (this.#take(COMMA))
    this.#expect(CLOSE_OBJECT)
  }

  #array(depth: number): void {
    let items = 0
    let numbers = 0
    this.#at++
    this.#skipSpace()
    if (!this.#take(CLOSE_ARRAY)) {
      do {
        this.#skipSpace()
        items++
        if (this.#isNumber()) numbers++
        this.#value(depth + 1)
        this.#skipSpace()
      } while (this.#take(COMMA))
      this.#expect(CLOSE_ARRAY)
    }
    if (depth === MEMBER_DEPTH) this.#list = { items, numbers }
  }

  #string(): void {
    const open = this.#at
    this.#expect(QUOTE)
    if (this.#shortString()) return
    for (;;) {
      const quote = this.#bytes.indexOf(QUOTE, this.#at)
      if (quote < 0) this.#fail()
      this.#at = quote + 1
      if (!this.#isEscaped(quote, open)) return
    }
  }

  #shortString(): boolean {
    for (let at = this.#at; at < this.#at + SHORT_STRING; at++) {
      const byte = this.#bytes[at]
      if (byte === BACKSLASH) return false
      if (byte !== QUOTE) continue
      this.#at = at + 1
      return true
    }
    return false
  }

  /** A quote is escaped when an odd number of backslashes stands before it. */
  #isEscaped(quote: number, open: number): boolean {
    let before = quote - 1
    while (before > open && this.#bytes[before] === BACKSLASH) before--
    return (quote - 1 - before) % 2 === 1
  }

  #number(): void {
    this.#take(MINUS)
    if (!this.#take(ZERO)) this.#digits()
    if (this.#take(DOT)) this.#digits()
    if (this.#take(code('e')) || this.#take(code('E'))) {
      if (!this.#take(PLUS)) this.#take(MINUS)
      this.#digits()
    }
  }

  #digits(): void {
    if (!this.#isDigit()) this.#fail()
    while (this.#isDigit()) this.#at++
  }

  #isNumber(): boolean {
    return this.#bytes[this.#at] === MINUS || this.#isDigit()
  }

  #isDigit(): boolean {
    const byte = this.#bytes[this.#at]
    return byte !== undefined && byte >= ZERO && byte <= NINE
  }

  #literal(): void {
    for (const word of LITERALS) {
      if (!startsWith(this.#bytes, word, this.#at)) continue
      this.#at += word.length
      return
    }
    this.#fail()
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at++
    }
  }

  #take(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false
    this.#at++
    return true
  }

  #expect(byte: number): void {
    if (!this.#take(byte)) this.#fail()
  }

  #nameAt(start: number, end: number): string {
    const name = decodeJson(this.#bytes.subarray(start, end))
    if (typeof name !== 'string') throw new JsonProblem('syntax', start)
    return name
  }

  #fail(): never {
    throw new JsonProblem('syntax', Math.min(this.#at, this.#bytes.length))
  }
}

/** The value of a small piece of JSON text; undefined when it is not valid UTF-8 or not valid JSON. */
export function decodeJson(text: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(text))
  } catch {
    return undefined
  }
}
