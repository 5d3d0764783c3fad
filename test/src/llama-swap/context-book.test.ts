import { describe, expect, test } from 'vitest'
import { ContextBook } from '../../../src/llama-swap/context-book.ts'
import type { ServerProps } from '../../../src/llama-swap/read-props.ts'

const COMMAND = 'llama-server --port 5800 -c 4096'
const OTHER = 'llama-server --port 5800 -c 8192'

function propsOf(context: number | undefined): ServerProps {
  return { context, slots: 4, input: ['text'], tools: true }
}

function bookWith(command: string | undefined): ContextBook {
  const book = new ContextBook()
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
  book.learnProps('a', propsOf(4096))
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
  book.learnProps('a', propsOf(4096))
  note()
  book.learnOverflow('a', 2048, undefined)
  note()
  book.learnProps('a', propsOf(1024))
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
  book.learnProps('a', propsOf(undefined))
  expect([tokensIn(book), book.of('a', undefined).props]).toEqual([2048, propsOf(undefined)])
})

describe('with another command line', () => {
  test('another truth holds, while the model runs and when it is stopped', () => {
    const book = bookWith(COMMAND)
    book.learnProps('a', propsOf(4096))
    book.see([{ model: 'a', command: OTHER }])
    const running = tokensIn(book, COMMAND)
    book.see([])
    expect([running, tokensIn(book, OTHER), tokensIn(book, COMMAND), tokensIn(book)]).toEqual([
      undefined,
      undefined,
      4096,
      4096,
    ])
  })

  test('what was learned before is forgotten when something else is learned', () => {
    const book = bookWith(COMMAND)
    book.learnProps('a', propsOf(4096))
    book.see([{ model: 'a', command: OTHER }])
    book.learnOverflow('a', 8192, undefined)
    expect([book.of('a', undefined).props, tokensIn(book)]).toEqual([undefined, 8192])
    book.see([])
    expect(tokensIn(book, COMMAND)).toBeUndefined()
  })
})

test('the same command on another port is the same', () => {
  const book = bookWith(COMMAND)
  book.learnProps('a', propsOf(4096))
  book.see([{ model: 'a', command: COMMAND.replace('5800', '5807') }])
  expect(tokensIn(book)).toBe(4096)
})

test('what was learned before the command was known belongs to the first that is seen', () => {
  const book = new ContextBook()
  book.learnOverflow('a', 4096, undefined)
  book.see([{ model: 'a', command: COMMAND }])
  const first = tokensIn(book)
  book.see([{ model: 'a', command: OTHER }])
  expect([first, tokensIn(book)]).toEqual([4096, undefined])
})

test('of more than a thousand models the oldest are forgotten', () => {
  const book = new ContextBook()
  for (let i = 0; i <= 1000; i++) book.learnOverflow(`m${i}`, 4096, undefined)
  const known = ['m0', 'm1', 'm1000'].map((id) => book.of(id, undefined).context?.tokens)
  expect(known).toEqual([undefined, 4096, 4096])
})
