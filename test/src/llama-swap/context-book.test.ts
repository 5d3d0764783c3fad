import { describe, expect, test } from 'vitest'
import { ContextBook } from '../../../src/llama-swap/context-book.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import type { ServerProps } from '../../../src/llama-swap/read-props.ts'

const COMMAND = 'llama-server --port 5800 -c 4096'
const OTHER = 'llama-server --port 5800 -c 8192'

function propsOf(context: number | undefined): ServerProps {
  return { context, slots: 4, input: ['text'], tools: true }
}

function bookWith(command: string | undefined): ContextBook {
  const book = new ContextBook(fakeClock())
  book.see([{ model: 'a', command }])
  return book
}

const tokensIn = (book: ContextBook, configured?: string) =>
  book.of('a', configured).context?.tokens

test('nothing is known of a model that has told nothing', () => {
  expect(bookWith(COMMAND).of('a', COMMAND)).toEqual({ context: undefined, props: undefined })
})

test('what a server says is exact', () => {
  const book = bookWith(COMMAND)
  book.learnProps('a', propsOf(4096), COMMAND)
  expect(book.of('a', undefined)).toMatchObject({
    context: {
      tokens: 4096,
      source: 'props',
      certainty: 'exact',
      why: 'the running model says so',
    },
    props: propsOf(4096),
  })
})

test('of a description and a refusal the later one counts', () => {
  const book = bookWith(COMMAND)
  const tokens: unknown[] = []
  const note = (): void => {
    const { context } = book.of('a', undefined)
    tokens.push([context?.source, context?.tokens])
  }
  book.learnProps('a', propsOf(4096), COMMAND)
  note()
  book.learnOverflow('a', 2048, undefined)
  note()
  book.learnProps('a', propsOf(1024), COMMAND)
  note()
  expect(tokens).toEqual([
    ['props', 4096],
    ['overflow', 2048],
    ['props', 1024],
  ])
})

test('a description without a context leaves what a refusal taught', () => {
  const book = bookWith(COMMAND)
  book.learnOverflow('a', 2048, undefined)
  book.learnProps('a', propsOf(undefined), COMMAND)
  expect([tokensIn(book), book.of('a', undefined).props]).toEqual([2048, propsOf(undefined)])
})

describe('with another command line', () => {
  test('what was learned is forgotten', () => {
    const book = bookWith(COMMAND)
    book.learnProps('a', propsOf(4096), COMMAND)
    book.see([{ model: 'a', command: OTHER }])
    const running = tokensIn(book, COMMAND)
    book.see([])
    expect([running, tokensIn(book, OTHER), tokensIn(book, COMMAND), tokensIn(book)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  test('in the configuration file what was learned does not hold', () => {
    const book = bookWith(COMMAND)
    book.learnProps('a', propsOf(4096), COMMAND)
    book.see([])
    expect([tokensIn(book, OTHER), tokensIn(book, COMMAND)]).toEqual([undefined, 4096])
  })

  test('a description that comes late is of no use', () => {
    const book = bookWith(COMMAND)
    book.see([{ model: 'a', command: OTHER }])
    book.learnProps('a', propsOf(4096), COMMAND)
    expect([book.of('a', undefined), book.of('a', COMMAND)]).toEqual([
      { context: undefined, props: undefined },
      { context: undefined, props: undefined },
    ])
  })

  test('what was learned before is forgotten when something else is learned', () => {
    const book = bookWith(COMMAND)
    book.learnProps('a', propsOf(4096), COMMAND)
    book.see([{ model: 'a', command: OTHER }])
    book.learnOverflow('a', 8192, undefined)
    expect([book.of('a', undefined).props, tokensIn(book)]).toEqual([undefined, 8192])
    book.see([])
    expect(tokensIn(book, COMMAND)).toBeUndefined()
  })
})

test('the same command on another port is the same', () => {
  const book = bookWith(COMMAND)
  book.learnProps('a', propsOf(4096), COMMAND)
  book.see([{ model: 'a', command: COMMAND.replace('5800', '5807') }])
  expect(tokensIn(book)).toBe(4096)
})

test('a model that is unloaded keeps what it told, for the same command line', () => {
  const book = bookWith(COMMAND)
  book.learnProps('a', propsOf(4096), COMMAND)
  book.see([])
  const stopped = tokensIn(book)
  book.see([{ model: 'a', command: COMMAND }])
  expect([stopped, tokensIn(book)]).toEqual([4096, 4096])
})

describe('what was learned before the command was known', () => {
  test('belongs to the one that is seen within ten seconds', async () => {
    const clock = fakeClock()
    const book = new ContextBook(clock)
    const isKnown = book.learnOverflow('a', 4096, undefined)
    await clock.advance(10_000)
    book.see([{ model: 'a', command: COMMAND }])
    const first = tokensIn(book)
    book.see([{ model: 'a', command: OTHER }])
    expect([isKnown, first, tokensIn(book)]).toEqual([false, 4096, undefined])
  })

  test('is forgotten when a command is seen later', async () => {
    const clock = fakeClock()
    const book = new ContextBook(clock)
    book.learnOverflow('a', 4096, undefined)
    await clock.advance(10_001)
    const before = tokensIn(book)
    book.see([{ model: 'a', command: COMMAND }])
    expect([before, tokensIn(book)]).toEqual([4096, undefined])
  })

  test('is not taken for what a later description adds to', async () => {
    const clock = fakeClock()
    const book = new ContextBook(clock)
    book.learnOverflow('a', 4096, undefined)
    await clock.advance(10_001)
    book.learnProps('a', propsOf(undefined), COMMAND)
    expect(book.of('a', undefined)).toMatchObject({ context: undefined, props: propsOf(undefined) })
  })

  test('holds as long as llama-swap names no commands', async () => {
    const clock = fakeClock()
    const book = new ContextBook(clock)
    book.learnOverflow('a', 4096, undefined)
    await clock.advance(60_000)
    book.see([{ model: 'a', command: undefined }])
    expect(tokensIn(book)).toBe(4096)
  })
})

test('of more than a thousand models the oldest are forgotten', () => {
  const book = new ContextBook(fakeClock())
  for (let i = 0; i <= 1000; i++) book.learnOverflow(`m${i}`, 4096, undefined)
  const known = ['m0', 'm1', 'm1000'].map((id) => book.of(id, undefined).context?.tokens)
  expect(known).toEqual([undefined, 4096, 4096])
})
