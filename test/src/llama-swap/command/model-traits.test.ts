import { describe, expect, test } from 'vitest'
import { readFacts } from '../../../../src/llama-swap/config/read-facts.ts'

const factsOf = (record: object, id = 'a') => readFacts(id, record, {}).facts
const withFlags = (flags: string, more: object = {}) =>
  factsOf({ cmd: `llama-server ${flags}`, ...more })

describe('a model is there for', () => {
  test.each<[string, object]>([
    ['chat', { cmd: 'llama-server -c 1' }],
    ['chat', { cmd: './own' }],
    ['chat', {}],
    ['chat', { cmd: 'llama-server --pooling mean' }],
    ['embeddings', { cmd: 'llama-server --embeddings' }],
    ['embeddings', { cmd: 'llama-server', env: ['LLAMA_ARG_EMBEDDINGS=1'] }],
    ['embeddings', { cmd: 'llama-server --embd-gemma-default' }],
    ['embeddings', { cmd: 'vllm serve a --task embed' }],
    ['embeddings', { cmd: 'python -m sglang.launch_server --is-embedding' }],
    ['rerank', { cmd: 'llama-server --reranking' }],
    ['rerank', { cmd: 'llama-server --embedding --pooling rank' }],
    ['rerank', { cmd: './own', capabilities: { reranker: 'true' } }],
    ['other', { cmd: 'whisper-server' }],
    ['other', { cmd: './own', capabilities: { out: ['audio'] } }],
    ['chat', { cmd: './own', capabilities: { out: ['audio', 'text'] } }],
  ])('%s: %o', (use, record) => {
    expect(factsOf(record).use).toBe(use)
  })
})

describe('a model takes and gives', () => {
  test.each([
    ['', {}, ['text'], ['text']],
    ['--mmproj x.gguf', {}, ['text', 'image'], ['text']],
    ['--mmproj x.gguf --no-mmproj', {}, ['text'], ['text']],
    [
      '--mmproj x.gguf',
      { capabilities: { in: ['audio', 'text', 'smell'] } },
      ['text', 'audio'],
      ['text'],
    ],
    ['', { capabilities: { in: [], out: ['image', 'text'] } }, ['text'], ['text', 'image']],
    ['--embeddings', {}, ['text'], []],
  ])('"%s" %o: %o and %o', (flags, more, ...[input, output]) => {
    const facts = withFlags(flags, more)
    expect({ input: facts.input, output: facts.output }).toEqual({ input, output })
  })
})

test.each([
  ['', {}, undefined],
  ['--jinja', {}, undefined],
  ['--no-jinja', { capabilities: { tools: 'true' } }, false],
  ['', { capabilities: { tools: 'true' } }, true],
  ['', { capabilities: { tools: 'False' } }, false],
  ['', { capabilities: { tools: 'maybe' } }, undefined],
])('tools: "%s" %o is %s', (flags, more, tools) => {
  expect(withFlags(flags, more).tools).toBe(tools)
})

describe('a model thinks', () => {
  test.each<[string, string, string, object, boolean]>([
    ['by its id', 'gpt-oss-20b', '', {}, true],
    ['by its name', 'a', '', { name: 'Qwen3 8B' }, true],
    ['not, by its id', 'llama-3', '', {}, false],
    ['as its owner says', 'llama-3', '', { metadata: { reasoning: 'true' } }, true],
    ['not, as its owner says', 'gpt-oss', '', { metadata: { reasoning: 'false' } }, false],
    ['not without a budget', 'gpt-oss', '--reasoning-budget 0', {}, false],
    ['not where it is off', 'gpt-oss', '--reasoning off', {}, false],
    [
      'not by its template',
      'qwen3-8b',
      `--chat-template-kwargs '{"enable_thinking": false}'`,
      {},
      false,
    ],
    ['by its template', 'a', `--chat-template-kwargs '{"enable_thinking":true}'`, {}, true],
    ['not where it answers with vectors', 'qwen3-8b', '--embeddings', {}, false],
  ])('%s', (_what, id, ...[flags, more, reasoning]) => {
    expect(factsOf({ cmd: `llama-server ${flags}`, ...more }, id).reasoning).toBe(reasoning)
  })
})

test.each([
  ['-n 512 -np 2', 512, 2],
  ['-n -1', undefined, 4],
  ['-n 0 -np 0', undefined, undefined],
  ['--gpt-oss-20b-default', undefined, undefined],
])('the limit of answers and the slots: %s', (flags, outputLimit, slots) => {
  const facts = withFlags(flags)
  expect({ outputLimit: facts.outputLimit, slots: facts.slots }).toEqual({ outputLimit, slots })
})
