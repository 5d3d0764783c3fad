import { describe, expect, test } from 'vitest'
import { llamaVariables, readLlamaFlags } from '../../../../src/llama-swap/command/llama-flags.ts'

function flagsOf(words: string, env: Record<string, string> = {}): object {
  const flags = readLlamaFlags(words.split(' '), env)
  return {
    values: Object.fromEntries(flags.values),
    repeated: [...flags.repeated],
    preset: flags.preset,
    refused: flags.refused,
  }
}

const said = (values: object, more: object = {}): object => ({
  values,
  repeated: [],
  preset: undefined,
  refused: [],
  ...more,
})

describe('the flags of llama-server', () => {
  test.each([
    ['the flag before -c takes it as its value', '-m -c 4096', { model: '-c' }],
    ['a flag of two values takes both', '--control-vector-layer-range -c 1 -c 2', { context: '2' }],
    ['a template may look like flags', '--chat-template -c -np 2', { parallel: '2' }],
    ['a switch takes its word', '-fa on -c 1', { context: '1' }],
    ['a switch of old builds takes none', '-fa -c 1', { context: '1' }],
    ['a flag that takes no value takes none', '--jinja -c 1', { jinja: 'on', context: '1' }],
    ['underscores are hyphens', '--ctx_size 1 --n_predict 2', { context: '1', predict: '2' }],
    ['one that is not known takes none', '--brand-new -c 1', { context: '1' }],
    ['those of other builds take theirs', '--ctx-size-draft 1 -cd 2 -gan 3', {}],
    [
      'those that begin alike are others',
      '--ctx-checkpoints 1 --fit-ctx 2 -fitc 3 -ctk a -ctv b -ctxcp 4 -cram 5 -C 6 -cms 7 -cb -npx',
      {},
    ],
    ['a negative value is a value', '-np -1 -n -2', { parallel: '-1', predict: '-2' }],
    ['a projector can be left out', '--no-mmproj', { projector: '' }],
  ])('%s: %s', (_what, words, values) => {
    expect(flagsOf(words)).toEqual(said(values))
  })

  test('go before variables, and the last one counts', () => {
    const env = { LLAMA_ARG_CTX_SIZE: '1', LLAMA_ARG_N_PARALLEL: '2', LLAMA_ARG_NO_JINJA: '' }
    expect(flagsOf('-c 3 --ctx-size 4', env)).toEqual(
      said({ context: '4', parallel: '2', jinja: 'off' }, { repeated: ['context'] }),
    )
  })

  test('that say the same twice are not repeated', () => {
    expect(flagsOf('-c 3 -c 3')).toEqual(said({ context: '3' }))
  })

  test.each([
    ['1', 'on'],
    ['true', 'on'],
    ['enabled', 'on'],
    ['0', 'off'],
    ['false', 'off'],
  ])('that are switches may be variables: %s is %s', (value, set) => {
    expect(flagsOf('-c 1', { LLAMA_ARG_EMBEDDINGS: value })).toEqual(
      said({ context: '1', embeddings: set }),
    )
  })

  test('with their values in one word are refused', () => {
    expect(flagsOf('--ctx-size=1 -c2 --api-key=k -np=3 -ngl 4')).toEqual(
      said(
        {},
        {
          refused: [
            { flag: '--ctx-size', value: '1' },
            { flag: '-c', value: '2' },
            { flag: '--api-key', value: 'k' },
            { flag: '-np', value: '3' },
          ],
        },
      ),
    )
  })

  test('in front of a preset are not sure, those behind it are', () => {
    expect(flagsOf('-c 1 -np 1 --gpt-oss-120b-default -np 2')).toEqual(
      said({ parallel: '2' }, { preset: '--gpt-oss-120b-default', repeated: ['parallel'] }),
    )
  })
})

test('of an environment only the variables of llama-server are taken', () => {
  expect(llamaVariables({ HOME: '/root', LLAMA_ARG_CTX_SIZE: '1', LLAMA_ARG_OTHER: '2' })).toEqual({
    LLAMA_ARG_CTX_SIZE: '1',
  })
})
