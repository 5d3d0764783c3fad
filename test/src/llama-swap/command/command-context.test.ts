import { describe, expect, test } from 'vitest'
import {
  leadingNumber,
  llamaContext,
  slotPlan,
} from '../../../../src/llama-swap/command/command-context.ts'
import { readLlamaFlags } from '../../../../src/llama-swap/command/llama-flags.ts'

function flagsOf(words: string, env: Record<string, string> = {}) {
  return readLlamaFlags(words === '' ? [] : words.split(' '), env)
}

const SHARED = 'shared by 4 slots: long requests that run side by side end each other'
const ROUNDED = 'rounded up to a multiple of 256'

describe('the context of one request to llama-server', () => {
  test.each<[string, Record<string, string>, number, number, string]>([
    ['-c 4096', {}, 4096, 4, `-c 4096, ${SHARED}`],
    ['-c 4096 -np 1', {}, 4096, 1, '-c 4096'],
    ['-c 4096 -np 4', {}, 1024, 4, '-c 4096 divided among -np 4'],
    [
      '-c 4096',
      { LLAMA_ARG_N_PARALLEL: '4' },
      1024,
      4,
      '-c 4096 divided among LLAMA_ARG_N_PARALLEL=4',
    ],
    ['-c 4096 -np 4 -kvu', {}, 4096, 4, `-c 4096, ${SHARED}`],
    ['-c 4096 -np 4', { LLAMA_ARG_KV_UNIFIED: '1' }, 4096, 4, `-c 4096, ${SHARED}`],
    ['-c 4096 -np 4', { LLAMA_ARG_KV_UNIFIED: '0' }, 1024, 4, '-c 4096 divided among -np 4'],
    ['-c 4096 -np 4 -kvu -no-kvu', {}, 1024, 4, '-c 4096 divided among -np 4'],
    ['-c 4096 -no-kvu', {}, 4096, 4, `-c 4096, ${SHARED}`],
    ['-c 4096 -np 2 -np -1', {}, 4096, 4, `-c 4096, ${SHARED}`],
    ['-c 4096 -np 3', {}, 1536, 3, `-c 4096 divided among -np 3; ${ROUNDED}`],
    ['-c 4097 -np 4', {}, 1280, 4, `-c 4097 divided among -np 4; ${ROUNDED}`],
    ['-c 4100 -np 4', {}, 1280, 4, `-c 4100 divided among -np 4; ${ROUNDED}`],
    ['-c 1000 -np 1', {}, 1024, 1, `-c 1000; ${ROUNDED}`],
    ['-c 128', {}, 256, 4, `-c 128, ${SHARED}; ${ROUNDED}`],
    ['-c 400000 -np 2', {}, 200192, 2, `-c 400000 divided among -np 2; ${ROUNDED}`],
    [
      '-c 262144 -np 1 --rope-scaling yarn --rope-scale 2',
      {},
      262144,
      1,
      '-c 262144; yarn stretches what the model was trained for',
    ],
    [
      '-c 8192 -np 1 --override-kv llama.context_length=int:4096',
      {},
      4096,
      1,
      '-c 8192; --override-kv says that the model was trained for less',
    ],
    [
      '-c 8192 -np 1 --override-kv llama.context_length=int:4096 --override-kv a.b=bool:true',
      {},
      4096,
      1,
      '-c 8192; --override-kv says that the model was trained for less',
    ],
    ['-np 4 --kv-unified-per-slot 1024', {}, 1024, 4, '--kv-unified-per-slot 1024 for each slot'],
    [
      '-np 4 --kv-unified-per-slot 1024 -c 8192',
      {},
      1024,
      4,
      '--kv-unified-per-slot 1024 for each slot',
    ],
    ['-np 4 --kv-unified-per-slot 1024 -c 2048', {}, 512, 4, '-c 2048 divided among -np 4'],
    ['-np 2 --kv-unified-per-slot 1000', {}, 1000, 2, '--kv-unified-per-slot 1000 for each slot'],
    ['', { LLAMA_ARG_CTX_SIZE: '4096' }, 4096, 4, `LLAMA_ARG_CTX_SIZE=4096, ${SHARED}`],
    ['-c 2048', { LLAMA_ARG_CTX_SIZE: '4096' }, 2048, 4, `-c 2048, ${SHARED}`],
    ['-c 2048 -c 8192', {}, 8192, 4, `-c 8192, ${SHARED}`],
    ['--ctx_size 4096 -np 1', {}, 4096, 1, '--ctx-size 4096'],
    ['-c 4k', {}, 256, 4, `-c 4k, ${SHARED}; ${ROUNDED}`],
    [
      '--embeddings -c 4096',
      {},
      512,
      4,
      '-ub 512, as nobody said more: a text must fit into one batch',
    ],
    ['--rerank -c 4096 -ub 1024', {}, 1024, 4, '-ub 1024: a text must fit into one batch'],
    [
      '--embedding',
      { LLAMA_ARG_UBATCH: '2048' },
      2048,
      4,
      'LLAMA_ARG_UBATCH=2048: a text must fit into one batch',
    ],
    ['--embeddings -ub 4096 -b 1024', {}, 1024, 4, '-b 1024: a text must fit into one batch'],
    ['--embeddings -c 1024 -np 4', {}, 256, 4, '-c 1024 divided among -np 4'],
  ])('%s %o is %d in %d slots', (words, env, ...[tokens, slots, why]) => {
    const flags = flagsOf(words, env)
    expect(llamaContext(flags)).toEqual({ tokens, source: 'command', certainty: 'estimate', why })
    expect(slotPlan(flags)?.slots).toBe(slots)
  })

  const OWN = "no -c: the model's own size, known once it runs"

  test.each([
    ['', OWN],
    ['-c 0', OWN],
    ['-c 0x800 -np 1', OWN],
    ['-np 4', OWN],
    ['-np 4 --fit off', OWN],
    ['-hf org/model:Q4', OWN],
    ['--ctx-size=4096', 'llama-server does not start with --ctx-size and its value in one word'],
    ['-c4096', 'llama-server does not start with -c and its value in one word'],
    ['-c', 'llama-server does not start with -c …'],
    ['-c sk-secret', 'llama-server does not start with -c …'],
    ['-c -1', 'llama-server does not start with -c -1'],
    ['-c 99999999999', 'llama-server does not start with -c 99999999999'],
    ['-c 4096 -np 0', 'llama-server does not start with -np 0'],
    ['-c 4096 -np few', 'llama-server does not start with -np …'],
    ['-c ${env.CTX}', '-c …: the value is not known here'],
    ['-c $CTX', '-c …: the value is not known here'],
    [
      '--models-preset models.ini',
      'this llama-server runs several models, each with a size of its own',
    ],
    ['--gpt-oss-20b-default', '--gpt-oss-20b-default brings a size of its own, known once it runs'],
    [
      '-c 4096 -np 1 --gpt-oss-20b-default',
      '--gpt-oss-20b-default brings a size of its own, known once it runs',
    ],
  ])('%s is not known', (words, why) => {
    expect(llamaContext(flagsOf(words))).toEqual({ tokens: undefined, source: 'unknown', why })
  })

  test('is known where -c and -np stand behind a preset', () => {
    expect(llamaContext(flagsOf('--gpt-oss-20b-default -c 8192 -np 2'))).toMatchObject({
      tokens: 4096,
    })
  })
})

test.each([
  ['4096', 4096],
  [' +12', 12],
  ['-1', -1],
  ['4k', 4],
  ['131_072', 131],
  ['1e5', 1],
  ['k4', undefined],
  ['', undefined],
  ['2147483647', 2147483647],
  ['2147483648', undefined],
])('llama-server reads the number %s as %s', (text, number) => {
  expect(leadingNumber(text)).toBe(number)
})
