import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import {
  FLAGS_OF_OTHER_BUILDS,
  FLAGS_WITH_VALUE,
} from '../../src/llama-swap/command/flags-with-value.ts'
import type { ModelFacts } from '../../src/llama-swap/model-config.ts'
import { readModelConfig } from '../../src/llama-swap/config/read-config.ts'
import type { PlacedModel } from './llama-server.ts'
import { placeModel, requireLlamaServer } from './llama-server.ts'
import { slotsOf, type Started } from './slots-of.ts'

const TRAINED = 8192

let model: PlacedModel

beforeAll(() => {
  const script = { repeat: 1, ballastMegabytes: 0, trainedContext: TRAINED }
  model = placeModel(requireLlamaServer(), 'gpt-oss-120b', script)
})

/** What was derived beside what the server says, to be looked at. */
const rows: object[] = []

afterAll(() => {
  console.log(rows.map((row) => JSON.stringify(row)).join('\n'))
  model?.remove()
})

type Env = Readonly<Record<string, string>>

function derived(flags: string, env: Env = {}): ModelFacts {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const record = { cmd: `llama-server --port \${PORT} -m tiny.gguf ${flags}`, env: variables }
  const facts = readModelConfig([stringify({ models: { tiny: record } })], {}).models.get('tiny')
  if (!facts) throw new Error('the model is not there')
  return facts
}

function measured(flags: string, env: Env = {}): Promise<Started> {
  return slotsOf(['-m', model.path, ...flags.split(' ').filter((word) => word !== '')], env)
}

describe('the context that follows from a command is what llama-server gives one request', () => {
  test.concurrent.each<[string, Env?]>([
    ['-c 4096'],
    ['-c 4096 -np 1'],
    ['-c 4096 -np 4'],
    ['', { LLAMA_ARG_CTX_SIZE: '4096', LLAMA_ARG_N_PARALLEL: '4' }],
    ['-c 4096 -np 4 -kvu'],
    ['-c 4096 -np 4', { LLAMA_ARG_KV_UNIFIED: '1' }],
    ['-c 4096 -np 4 -no-kvu', { LLAMA_ARG_KV_UNIFIED: '1' }],
    ['-c 4096 -np 4 -kvu -no-kvu'],
    ['-c 4096 -no-kvu'],
    ['-c 4096 -np 2 -np -1'],
    ['-c 4096 -np 3'],
    ['-c 4097 -np 4'],
    ['-c 4100 -np 4'],
    ['-c 1000 -np 1'],
    ['-c 128'],
    ['-c 16384 -np 1 --rope-scaling yarn --rope-scale 2'],
    ['-c 4096 -np 1 --override-kv llama.context_length=int:2048'],
    ['-c 4096 -np 1 --rope-scaling yarn --rope-scale 4 --override-kv llama.context_length=int:512'],
    ['--kv-unified-per-slot 1024 -np 4'],
    ['--kv-unified-per-slot 1024 -np 4 -c 8192'],
    ['--kv-unified-per-slot 1000 -np 2'],
    ['-c 2048', { LLAMA_ARG_CTX_SIZE: '4096' }],
    ['-c 2048 -c 8192'],
    ['--ctx_size 4096 -np 1'],
    ['-c 4k'],
    ['-c 4096 -np 1 --ctx-checkpoints 2 --fit-ctx 512 -ctk f16 -ctv f16 -cram 64 -C ff'],
  ])('%s %o', async (flags, env) => {
    const { context, slots } = derived(flags, env)
    const truth = await measured(flags, env)
    rows.push({ flags, ...env, derived: context.tokens, why: context.why, '/props': truth })
    expect(truth).toEqual({ tokens: context.tokens, slots })
  })
})

describe('the context is not known from a command', () => {
  test.concurrent.each([
    ['', TRAINED, 4],
    ['-c 0', TRAINED, 4],
    ['-np 4', TRAINED, 4],
    ['-np 4 --fit off', TRAINED / 4, 4],
  ])('that leaves it to the model: "%s" gives %d', async (flags, tokens, slots) => {
    expect(derived(flags).context).toEqual({
      tokens: undefined,
      source: 'unknown',
      why: "no -c: the model's own size, known once it runs",
    })
    expect(await measured(flags)).toEqual({ tokens, slots })
  })

  test.concurrent.each([
    ['--ctx-size=4096', 'error: invalid argument: --ctx-size=4096'],
    ['-c4096', 'error: invalid argument: -c4096'],
    ['-c many', 'error while handling argument "-c": stoi'],
    ['-c 99999999999', 'error while handling argument "-c": stoi'],
    ['-np 0', 'error while handling argument "-np": error: invalid value for n_parallel'],
  ])('that llama-server refuses: %s', async (flags, error) => {
    expect(derived(flags).context).toMatchObject({
      source: 'unknown',
      why: expect.stringContaining('llama-server does not start with'),
    })
    expect(await measured(flags)).toEqual({ error })
  })
})

test('the model may be trained for less than the command asks for, so it is an estimate', async () => {
  expect(derived('-c 16384 -np 1').context).toMatchObject({ tokens: 16384, certainty: 'estimate' })
  expect(await measured('-c 16384 -np 1')).toEqual({ tokens: TRAINED, slots: 1 })
})

describe('the flags that take a value', () => {
  test('include all of the real help, and none of other builds is among them', () => {
    const help = flagsOfHelp()
    expect(help.filter((flag) => !FLAGS_WITH_VALUE.has(flag))).toEqual([])
    expect([...FLAGS_OF_OTHER_BUILDS].filter((flag) => help.includes(flag))).toEqual([])
  })
})

/** The flags for which the help names a value: `-c, --ctx-size N   size of …`. */
function flagsOfHelp(): string[] {
  const [command, ...prefix] = requireLlamaServer().command
  const { stdout } = spawnSync(command, [...prefix, '--help'], { encoding: 'utf8' })
  return stdout.split('\n').flatMap((line) => {
    const head = line.length > 40 && line[39] === ' ' ? line.slice(0, 40) : line
    const parts = /^((?:--?[A-Za-z][\w.-]*,?\s+)+)[^-\s]/.exec(head)
    return parts ? (parts[1] ?? '').split(/[,\s]+/).filter((flag) => flag !== '') : []
  })
}
