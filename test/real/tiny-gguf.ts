import type { Metadata, Tensor } from './gguf-file.ts'
import {
  boolMetadata,
  f32Metadata,
  f32sMetadata,
  i32sMetadata,
  stringMetadata,
  stringsMetadata,
  u32Metadata,
  writeGguf,
} from './gguf-file.ts'

/**
 * A model that a real llama-server loads in milliseconds and that always says the same.
 *
 * Attention and feed-forward weights are zero, so what reaches the output matrix is the embedding of the last token
 * alone, and the output matrix is a table: this token is followed by that one. Whatever ends the prompt leads to the
 * first word of the sentence; `AT_LENGTH` leads to the first word of a long answer.
 */
export interface Script {
  /** The answer, one token per word; no word twice, since a token knows only its one successor. */
  sentence: string
  /** How often the long answer goes through the sentence. Default 400. */
  repeat?: number
  /** The largest context that the model says it can do. Default 131072. */
  trainedContext?: number
  /** Zeros that the server reads for each token, to slow it down. They take no room on the disk. Default 0. */
  ballastMegabytes?: number
}

/** A chat whose last message contains these words gets the long answer. */
export const AT_LENGTH = 'at length'

/** The token that starts the long answer; only a raw prompt (`/v1/completions`) has to name it. */
export const AT_LENGTH_TOKEN = '<|at_length|>'

const DEFAULT_REPEAT = 400
const DEFAULT_TRAINED_CONTEXT = 131_072
const HEAD_WIDTH = 32
// Wide enough that 10,000 random codes stay far from parallel: the product of a code and itself is 128, of two codes
// at most 62.
const WIDTH = 128

// llama.cpp, enum llama_token_type
const NORMAL = 1
const UNKNOWN = 2
const CONTROL = 3
const BYTE = 6

const CHAT_TEMPLATE =
  "{% for m in messages %}{{ m['role'] }}: {{ m['content'] or '' }}\n{% endfor %}assistant:" +
  `{% if '${AT_LENGTH}' in (messages[-1]['content'] or '') %}${AT_LENGTH_TOKEN}{% endif %}`

/** What the model answers when asked for a long answer: each round of the sentence carries its number. */
export function longAnswer({ sentence, repeat = DEFAULT_REPEAT }: Script): string {
  return longWords(sentence, repeat).join(' ')
}

export function writeTinyGguf(file: string, script: Script): void {
  const vocabulary = buildVocabulary(script)
  const { embedding, output } = transitionTables(vocabulary)
  const feedForward = Math.max(
    32,
    Math.round(((script.ballastMegabytes ?? 0) * 1e6) / (3 * 4 * WIDTH)),
  )
  const tokens = vocabulary.tokens.length
  const ones = new Float32Array(WIDTH).fill(1)
  const tensors: Tensor[] = [
    { name: 'token_embd.weight', rows: tokens, columns: WIDTH, weights: embedding },
    { name: 'output.weight', rows: tokens, columns: WIDTH, weights: output },
    { name: 'output_norm.weight', rows: 1, columns: WIDTH, weights: ones },
    { name: 'blk.0.attn_norm.weight', rows: 1, columns: WIDTH, weights: ones },
    { name: 'blk.0.attn_q.weight', rows: WIDTH, columns: WIDTH },
    { name: 'blk.0.attn_k.weight', rows: HEAD_WIDTH, columns: WIDTH },
    { name: 'blk.0.attn_v.weight', rows: HEAD_WIDTH, columns: WIDTH },
    { name: 'blk.0.attn_output.weight', rows: WIDTH, columns: WIDTH },
    { name: 'blk.0.ffn_norm.weight', rows: 1, columns: WIDTH, weights: ones },
    { name: 'blk.0.ffn_gate.weight', rows: feedForward, columns: WIDTH },
    { name: 'blk.0.ffn_up.weight', rows: feedForward, columns: WIDTH },
    { name: 'blk.0.ffn_down.weight', rows: WIDTH, columns: feedForward },
  ]
  const trainedContext = script.trainedContext ?? DEFAULT_TRAINED_CONTEXT
  const shape = shapeMetadata(trainedContext, feedForward)
  writeGguf(file, [...shape, ...tokenizerMetadata(vocabulary)], tensors)
}

interface Vocabulary {
  tokens: { text: string; type: number }[]
  /** Which token follows which; every token that is not in here leads to `first`. */
  successors: Map<number, number>
  first: number
}

const END_OF_ANSWER = 2

function buildVocabulary({ sentence, repeat = DEFAULT_REPEAT }: Script): Vocabulary {
  const words = sentence.split(' ')
  const twice = words.find((word, i) => words.indexOf(word) !== i)
  if (twice !== undefined) throw new Error(`"${twice}" is in the sentence twice: "${sentence}"`)
  const tokens = [
    { text: '<unk>', type: UNKNOWN },
    { text: '<s>', type: CONTROL },
    { text: '</s>', type: CONTROL },
    ...Array.from({ length: 256 }, (_, byte) => ({ text: byteToken(byte), type: BYTE })),
    // A token of its own makes a space one token instead of its three bytes: each ASCII character counts one.
    { text: '▁', type: NORMAL },
  ]
  const successors = new Map<number, number>()
  const addChain = (chain: string[]): number => {
    const start = tokens.length
    for (const [i, word] of chain.entries()) {
      tokens.push({ text: i === 0 ? word : `▁${word}`, type: NORMAL })
      successors.set(start + i, i === chain.length - 1 ? END_OF_ANSWER : start + i + 1)
    }
    return start
  }
  const first = addChain(words)
  const firstOfLong = addChain(longWords(sentence, repeat))
  successors.set(tokens.length, firstOfLong)
  tokens.push({ text: AT_LENGTH_TOKEN, type: CONTROL })
  return { tokens, successors, first }
}

function longWords(sentence: string, repeat: number): string[] {
  const words = sentence.split(' ')
  return Array.from({ length: repeat }, (_, i) => words.map((word) => `${word}.${i + 1}`)).flat()
}

function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`
}

function transitionTables({ tokens, successors, first }: Vocabulary) {
  const embedding = new Float32Array(tokens.length * WIDTH)
  const output = new Float32Array(tokens.length * WIDTH)
  const nextCode = randomCodes()
  const anythingElse = nextCode()
  output.set(anythingElse, first * WIDTH)
  const predecessorsOfEnd = new Float32Array(WIDTH)
  for (let token = 0; token < tokens.length; token++) {
    const successor = successors.get(token)
    const code = successor === undefined ? anythingElse : nextCode()
    embedding.set(code, token * WIDTH)
    if (successor === END_OF_ANSWER)
      for (let i = 0; i < WIDTH; i++) predecessorsOfEnd[i]! += code[i]!
    else if (successor !== undefined) output.set(code, successor * WIDTH)
  }
  output.set(predecessorsOfEnd, END_OF_ANSWER * WIDTH)
  return { embedding, output }
}

/** Codes of +1 and -1, the same ones in each run (xorshift32). */
function randomCodes(): () => Float32Array {
  let state = 2_463_534_242
  const nextSign = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0x10_000 ? 1 : -1
  }
  return () => Float32Array.from({ length: WIDTH }, nextSign)
}

function shapeMetadata(trainedContext: number, feedForward: number): Metadata[] {
  return [
    stringMetadata('general.architecture', 'llama'),
    stringMetadata('general.name', 'tiny-scripted'),
    u32Metadata('llama.context_length', trainedContext),
    u32Metadata('llama.embedding_length', WIDTH),
    u32Metadata('llama.block_count', 1),
    u32Metadata('llama.feed_forward_length', feedForward),
    u32Metadata('llama.attention.head_count', WIDTH / HEAD_WIDTH),
    u32Metadata('llama.attention.head_count_kv', 1),
    f32Metadata('llama.attention.layer_norm_rms_epsilon', 1e-5),
    u32Metadata('llama.rope.dimension_count', HEAD_WIDTH),
  ]
}

function tokenizerMetadata({ tokens }: Vocabulary): Metadata[] {
  return [
    stringMetadata('tokenizer.ggml.model', 'llama'),
    stringsMetadata(
      'tokenizer.ggml.tokens',
      tokens.map(({ text }) => text),
    ),
    f32sMetadata(
      'tokenizer.ggml.scores',
      tokens.map(() => 0),
    ),
    i32sMetadata(
      'tokenizer.ggml.token_type',
      tokens.map(({ type }) => type),
    ),
    u32Metadata('tokenizer.ggml.unknown_token_id', 0),
    u32Metadata('tokenizer.ggml.bos_token_id', 1),
    u32Metadata('tokenizer.ggml.eos_token_id', END_OF_ANSWER),
    boolMetadata('tokenizer.ggml.add_bos_token', true),
    stringMetadata('tokenizer.chat_template', CHAT_TEMPLATE),
  ]
}
