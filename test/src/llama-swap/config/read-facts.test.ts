import { describe, expect, test } from 'vitest'
import type { ContextSize } from '../../../../src/llama-swap/context-size.ts'
import type { ModelFacts } from '../../../../src/llama-swap/model-config.ts'
import { readModelConfig } from '../../../../src/llama-swap/config/read-config.ts'

/** The facts of the model `a`. */
function factsOf(files: string | string[], env: Record<string, string> = {}): ModelFacts {
  const facts = readModelConfig([files].flat(), env).models.get('a')
  if (!facts) throw new Error('there is no model a')
  return facts
}

/** A file whose model `a` has this command. */
function withCommand(cmd: string, more = ''): string {
  const lines = cmd.split('\n').map((line) => `      ${line}\n`)
  return `models:\n  a:\n    cmd: |\n${lines.join('')}    ${more}\n`
}

const known = (tokens: number, why: string): ContextSize => ({
  tokens,
  source: 'command',
  certainty: 'estimate',
  why,
})

const unknown = (why: string): ContextSize => ({ tokens: undefined, source: 'unknown', why })

const OWN = unknown("no -c: the model's own size, known once it runs")

describe('the context of a model is not simply its --ctx-size', () => {
  test.each<[string, string, ContextSize]>([
    [
      'one: slots divide it',
      withCommand('llama-server -c 131072 -np 4'),
      known(32768, '-c 131072 divided among -np 4'),
    ],
    [
      'two: without -np four slots share it',
      withCommand('llama-server -c 131072'),
      known(
        131072,
        '-c 131072, shared by 4 slots: long requests that run side by side end each other',
      ),
    ],
    ['three: without -c the model decides', withCommand('llama-server -np 1'), OWN],
    ['three: with -c 0, too', withCommand('llama-server -c 0 -np 1'), OWN],
    [
      'four: training caps it, as far as the command tells',
      withCommand('llama-server -c 200000 -np 1 --override-kv a.context_length=int:131072'),
      known(
        131072,
        '-c 200000; rounded up to a multiple of 256; --override-kv says that the model was trained for less',
      ),
    ],
    [
      'five: yarn stretches it',
      withCommand(
        'llama-server -c 262144 -np 1 --rope-scaling yarn --rope-scale 2 --yarn-orig-ctx 131072',
      ),
      known(262144, '-c 262144; yarn stretches what the model was trained for'),
    ],
    [
      'six: it is rounded up',
      withCommand('llama-server -c 1000 -np 1'),
      known(1024, '-c 1000; rounded up to a multiple of 256'),
    ],
    [
      'seven: it may be a variable of the model',
      withCommand('llama-server -np 1', 'env: ["LLAMA_ARG_CTX_SIZE=4096", EMPTY]'),
      known(4096, 'LLAMA_ARG_CTX_SIZE=4096'),
    ],
    [
      'seven: or one of the command',
      withCommand('env LLAMA_ARG_CTX_SIZE=4096 llama-server -np 1'),
      known(4096, 'LLAMA_ARG_CTX_SIZE=4096'),
    ],
    [
      'seven: or one of a container',
      withCommand('docker run -e LLAMA_ARG_CTX_SIZE=4096 ghcr.io/ggml-org/llama.cpp:server -np 1'),
      known(4096, 'LLAMA_ARG_CTX_SIZE=4096'),
    ],
    [
      'eight: it may be a macro in a macro',
      `macros: { ctx: 8192, size: '-c \${ctx}' }\n${withCommand('llama-server ${size} -np 1', 'macros: { ctx: 0x1000 }')}`,
      known(4096, '-c 4096'),
    ],
    [
      'eight: or stand behind an anchor',
      "x: &x { cmd: 'llama-server -c 4096 -np 1' }\nmodels: { a: { <<: *x, name: b } }",
      known(4096, '-c 4096'),
    ],
    [
      'nine: a comment in the command does not count',
      withCommand('llama-server\n  # --ctx-size 4096\n  -c 8192 -np 1'),
      known(8192, '-c 8192'),
    ],
    [
      'nine: the last one counts',
      withCommand('llama-server -c 4096 -np 1 --ctx-size 8192'),
      known(8192, '--ctx-size 8192'),
    ],
    [
      'ten: flags that begin alike are others',
      withCommand(
        'llama-server --ctx-size-draft 1 -cd 2 --ctx-checkpoints 3 --fit-ctx 4 -ctk a -ctv b -ctxcp 5 -cram 6 -C 7 -np 1',
      ),
      OWN,
    ],
    [
      'eleven: other programs have a -c, too',
      withCommand(`taskset -c 0-7 bash -c 'exec llama-server -c 4096 -np 1'`),
      known(4096, '-c 4096'),
    ],
    [
      'eleven: and servers of other media',
      withCommand('whisper-server -c 4096'),
      unknown('makes or reads media, which has no context'),
    ],
    [
      'twelve: other servers have other flags',
      withCommand('vllm serve b --max-model-len 32k -c 4096'),
      known(32000, '--max-model-len 32k of vLLM'),
    ],
    [
      'thirteen: a llama-server may run several models',
      withCommand('llama-server --models-preset models.ini -c 4096'),
      unknown('this llama-server runs several models, each with a size of its own'),
    ],
    [
      'thirteen: a preset brings its own',
      withCommand('llama-server --gpt-oss-20b-default'),
      unknown('--gpt-oss-20b-default brings a size of its own, known once it runs'),
    ],
    [
      'thirteen: a script may do anything',
      withCommand('/opt/serve.sh -c 4096'),
      unknown('the command does not name a server that the gate can read'),
    ],
    [
      'fourteen: a text to embed must fit into a batch',
      withCommand('llama-server --embeddings -c 4096 -np 1'),
      known(512, '-ub 512, as nobody said more: a text must fit into one batch'),
    ],
    [
      'seventeen: what is written by hand goes before the command',
      withCommand('llama-server -c 4096 -np 1', 'capabilities: { context: 8192 }'),
      {
        tokens: 8192,
        source: 'listing',
        certainty: 'estimate',
        why: 'capabilities.context says 8192; it is written by hand',
      },
    ],
    [
      'a quote that is not closed',
      withCommand('llama-server -m "x -c 4096'),
      unknown('a quote in cmd is not closed'),
    ],
    ['no command', 'models: { a: {} }', unknown('there is no cmd')],
  ])('%s', (_what, text, context) => {
    expect(factsOf(text).context).toEqual(context)
  })

  test('seven: it may be a variable of llama-swap itself', () => {
    const env = { LLAMA_ARG_CTX_SIZE: '4096', LLAMA_ARG_N_PARALLEL: '2' }
    expect(factsOf(withCommand('llama-server'), env).context).toEqual(
      known(2048, 'LLAMA_ARG_CTX_SIZE=4096 divided among LLAMA_ARG_N_PARALLEL=2'),
    )
    expect(factsOf(withCommand('docker run llama.cpp:server'), env).context).toEqual(OWN)
  })

  test('eight: it may be a variable in the file, and the file one of several', () => {
    const text = withCommand('llama-server -c ${env.CTX} -np ${np}')
    const files = [text, 'macros: { np: 2 }']
    expect(factsOf(files, { CTX: '4096' }).context).toEqual(
      known(2048, '-c 4096 divided among -np 2'),
    )
    expect(factsOf(files).context).toEqual(unknown('-c …: the value is not known here'))
  })

  test('fifteen: an answer may have a limit of its own, and eighteen: none at all', () => {
    const limited = factsOf(withCommand('llama-server -c 4096 -np 1 -n 512'))
    const endless = factsOf(withCommand('llama-server -c 4096 -np 1 -n -1 --context-shift'))
    expect([limited.outputLimit, endless.outputLimit]).toEqual([512, undefined])
    expect(endless.faults).toMatchObject([{ kind: 'context-shift' }])
  })

  test('sixteen: peers, selectors and profiles are no models of this box', () => {
    const text = `
peers: { p: { models: [m] } }
selectors: { s: { targets: [a] } }
profiles: { day: { pins: { x: a } } }
models: { a: { cmd: llama-server } }
`
    expect([...readModelConfig([text], {}).models.keys()]).toEqual(['a'])
  })

  test('nineteen: what was learned holds for one command line', () => {
    const line = (cmd: string) => factsOf(withCommand(cmd)).commandLine
    expect(line('llama-server --port ${PORT} \\\n  -c 4096')).toBe('llama-server --port * -c 4096')
    expect(line('llama-server ${nobody}')).toBeUndefined()
    expect(factsOf('models: { a: {} }').commandLine).toBeUndefined()
  })
})

test('all that is said of a model is known', () => {
  const text = `
models:
  a:
    cmd: llama-server --port \${PORT} -c 16384 -np 2 -n 2048 --mmproj x.gguf --jinja
    name: "  The A  "
    description: A model.
    aliases: [x, y]
    unlisted: true
    filters: { setParamsByID: { "\${MODEL_ID}:high": {} } }
    capabilities: { tools: true }
    metadata: { reasoning: true }
  b: { cmd: vllm serve b --max-num-seqs 16, name: ~ }
`
  expect([...readModelConfig([text], {}).models]).toEqual([
    [
      'a',
      {
        name: 'The A',
        description: 'A model.',
        aliases: ['x', 'y', 'a:high'],
        isUnlisted: true,
        commandLine: 'llama-server --port * -c 16384 -np 2 -n 2048 --mmproj x.gguf --jinja',
        context: known(8192, '-c 16384 divided among -np 2'),
        faults: [
          {
            kind: 'divided-context',
            message: '-c 16384 is divided among 2 slots: one request gets 8192 tokens',
            fix: 'for -c 16384 in one request add -np 1, or ask for 2 times as much',
          },
        ],
        use: 'chat',
        input: ['text', 'image'],
        output: ['text'],
        tools: true,
        reasoning: true,
        outputLimit: 2048,
        slots: 2,
      },
    ],
    [
      'b',
      {
        name: undefined,
        description: undefined,
        aliases: [],
        isUnlisted: false,
        commandLine: 'vllm serve b --max-num-seqs 16',
        context: unknown('no --max-model-len: vLLM decides, known once it runs'),
        faults: [],
        use: 'chat',
        input: ['text'],
        output: ['text'],
        tools: undefined,
        reasoning: false,
        outputLimit: undefined,
        slots: 16,
      },
    ],
  ])
})

test.each([
  [
    '--embeddings -c 4096',
    { tokens: 512, why: '-ub 512, as nobody said more: a text must fit into one batch' },
  ],
  ['--rerank -b 256', { tokens: 256, why: '-b 256: a text must fit into one batch' }],
  ['--embeddings -ub $UB', undefined],
  ['-c 4096', undefined],
])('a text for llama-server %s must fit into %o', (flags, batch) => {
  expect(factsOf(withCommand(`llama-server ${flags}`)).batch).toEqual(batch)
})

const HIDDEN = unknown('the variables of --env-file are not known here')

test.each<[string, ContextSize, number | undefined]>([
  [
    'bash -c "llama-server --port ${PORT} -c `cat ctx`"',
    unknown('-c …: the value is not known here'),
    4,
  ],
  [
    'bash -c "llama-server --port ${PORT} -np 1 -c $(cat ctx)"',
    unknown('-c …: the value is not known here'),
    1,
  ],
  [
    "bash -c 'llama-server -c 2048 & exec llama-server --port ${PORT} -c 65536 -np 1'",
    known(65_536, '-c 65536'),
    1,
  ],
  [
    "bash -c 'llama-server -c 2048 & exec llama-server -c 65536 -np 1'",
    unknown('the command starts several servers'),
    undefined,
  ],
  ['docker run --env-file ./x -p ${PORT}:8080 llama.cpp:server', HIDDEN, undefined],
  ['docker run --env-file=./x -e LLAMA_ARG_CTX_SIZE=4096 llama.cpp:server -np 1', HIDDEN, 1],
  [
    'docker run --env-file ./x llama.cpp:server -c 4096 -np 2',
    known(2048, '-c 4096 divided among -np 2'),
    2,
  ],
  [
    '/opt/ik_llama.cpp/bin/llama-server --port ${PORT} -c 65536',
    known(65_536, '-c 65536'),
    undefined,
  ],
  [
    '/opt/ik_llama.cpp/bin/llama-server --port ${PORT} -c 65536 -np 2',
    known(32_768, '-c 65536 divided among -np 2'),
    2,
  ],
  [
    '/opt/run-llama-server.sh --port ${PORT} -c 65536',
    unknown('a script starts the server, and may say more'),
    undefined,
  ],
])('%s has a context of %o in %s slots', (cmd, context, slots) => {
  const facts = factsOf(withCommand(cmd))
  expect([facts.context, facts.slots]).toEqual([context, slots])
})
