import type { DemoModel } from './models.ts'

/** One token of an answer: a word with the space in front of it. */
export interface Piece {
  readonly kind: 'reasoning' | 'content'
  readonly text: string
}

const ECHO_WORDS = 16
const MAX_REQUESTED_WORDS = 20_000

const THOUGHT =
  'The user sent a message and I am the demo, so I explain what this is and repeat a little of it.'

const FILLER = [
  'Every word here is sent as a frame of its own, at the pace of a mid-size model.',
  'The first request to another model waits for the swap and receives nothing until it is done.',
  'Stop reading at any time: the demo notices and frees the model at once.',
  'The usage at the end counts one token for each word and a quarter of the prompt in bytes.',
  'The same prompt always gets the same answer.',
]

/**
 * The demo's answer as tokens. It depends on nothing but its arguments, says what it is, repeats
 * the beginning of what was said and, asked for "500 words", goes on until it has written them.
 */
export function answerPieces(model: DemoModel, said: string): Piece[] {
  const words = introduction(model, said).split(' ')
  const wanted = Math.min(requestedWords(said), MAX_REQUESTED_WORDS)
  for (let i = 0; words.length < wanted; i++) words.push(...FILLER[i % FILLER.length]!.split(' '))
  if (wanted > 0) words.length = Math.min(words.length, wanted)
  return asPieces('content', words)
}

/** What a reasoning model thinks before it answers. */
export function thoughtPieces(): Piece[] {
  return asPieces('reasoning', THOUGHT.split(' '))
}

function introduction(model: DemoModel, said: string): string {
  const heard = said.split(/\s+/).filter((word) => word !== '')
  const echo = heard.slice(0, ECHO_WORDS).join(' ') + (heard.length > ECHO_WORDS ? ' …' : '')
  return [
    `This is the demo upstream of swapgate, answering in the place of ${model.name}.`,
    heard.length === 0 ? 'Your message had no text.' : `You wrote: "${echo}".`,
    'If you can read this, the address, the key and the stream of your client all work.',
    'There is no model behind it: start swapgate without --demo, in front of llama-swap, for one.',
    'Ask for "500 words" to watch a longer stream.',
  ].join(' ')
}

function requestedWords(said: string): number {
  return Number(/\b(\d+) words\b/.exec(said)?.[1] ?? 0)
}

function asPieces(kind: Piece['kind'], words: readonly string[]): Piece[] {
  return words.map((word, index) => ({ kind, text: index === 0 ? word : ` ${word}` }))
}
