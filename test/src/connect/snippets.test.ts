import { execFileSync } from 'node:child_process'
import { assert, property, string } from 'fast-check'
import { parse as parseToml } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { CLIENTS, type ClientName, type ConnectTo } from '../../../src/connect/clients.ts'
import { snippetFor } from '../../../src/connect/snippets.ts'
import { chatModel, UNKNOWN } from './models.ts'

const TO: ConnectTo = {
  baseUrl: 'http://box:3000',
  models: [
    chatModel({ id: 'nomic', use: 'embeddings' }),
    chatModel({ id: 'qwen3', name: 'Qwen 3', aliases: ['coder'], input: ['text', 'image'] }),
    chatModel({ id: 'coder', kind: 'alias', aliases: ['qwen3'] }),
    chatModel({
      id: 'small',
      tools: false,
      context: { tokens: 32_768, source: 'command', certainty: 'estimate', why: '-c' },
    }),
    chatModel({ id: 'strange', context: UNKNOWN }),
  ],
  keyVariable: 'LLAMA_SWAP_API_KEY',
}

/** The text of the first block in a language. */
function textOf(client: ClientName, language: string, to: ConnectTo = TO): string {
  const block = snippetFor(client, to).blocks.find((each) => each.language === language)
  return block?.text ?? ''
}

/** The lines of all blocks for a terminal but the one with the key. */
function shellOf(client: ClientName, to: ConnectTo = TO): string {
  const blocks = snippetFor(client, to).blocks.filter(({ language }) => language === 'sh')
  return blocks
    .map(({ text }) => text)
    .filter((text) => !text.includes("='sk-...'"))
    .join('')
}

/** Runs the lines in a real shell whose programs only tell how they were called, one JSON line for each call. */
function callsIn(script: string): string[][] {
  const tell = 'tell() { for word; do printf "%s\\0" "$word"; done; printf "\\n\\0"; }'
  const programs = ['swapgate', 'curl', 'opencode', 'claude', 'codex', 'zed', 'docker', 'aider']
  const defined = programs.map((name) => `${name}() { tell ${name} "$@"; }`).join('\n')
  const env = { LLAMA_SWAP_API_KEY: 'the key', HOME: '/nonexistent', PATH: '' }
  const told = execFileSync('/bin/sh', ['-c', `${tell}\n${defined}\n${script}`], { env })
  return told
    .toString()
    .split('\n\0')
    .filter((call) => call !== '')
    .map((call) => call.split('\0').slice(0, -1))
}

/** A model as Zed writes it, with what differs. */
const zed = (name: string, more: { display_name: string; [field: string]: unknown }) => ({
  name,
  max_tokens: 131_072,
  max_output_tokens: 16_384,
  capabilities: {
    tools: true,
    images: false,
    parallel_tool_calls: false,
    prompt_cache_key: false,
  },
  ...more,
})

const notesFor = (id: string, tokens: number): string => {
  const context = { tokens, source: 'props', certainty: 'exact', why: '' } as const
  return snippetFor('claude', { ...TO, models: [chatModel({ id, context })] }).notes.join('\n')
}

const words = (text: string): string[] => text.split(' ')

describe('every client', () => {
  test.each(CLIENTS)('%s: the key stands nowhere, only the variable that holds it', (client) => {
    const snippet = snippetFor(client, { ...TO, keyVariable: 'MY_KEY' })
    const texts = snippet.blocks.map(({ text }) => text).join('')
    expect([texts.includes('MY_KEY'), texts.includes('LLAMA_SWAP')]).toEqual([true, false])
    expect(texts).toContain("export MY_KEY='sk-...'\n")
  })

  test.each(CLIENTS)('%s: a slash at the end of the base URL changes nothing', (client) => {
    expect(snippetFor(client, { ...TO, baseUrl: 'http://box:3000/' })).toEqual(
      snippetFor(client, TO),
    )
  })

  test.each(CLIENTS)(
    '%s: begins with the first model for chats, or the one asked for',
    (client) => {
      const first = JSON.stringify(snippetFor(client, TO))
      const other = JSON.stringify(snippetFor(client, { ...TO, model: 'small' }))
      const none = JSON.stringify(snippetFor(client, { ...TO, models: [] }))
      expect([first, other, none].map((text) => text.includes('nomic'))).toEqual([
        false,
        false,
        false,
      ])
      expect([
        first.includes('qwen3'),
        other.includes('small'),
        none.includes('your-model'),
      ]).toEqual([true, true, true])
    },
  )

  test.each(CLIENTS.filter((client) => client !== 'curl' && client !== 'open-webui'))(
    '%s: a context that nobody knows is left out, and it is said how to find it',
    (client) => {
      const models = [chatModel({ id: 'strange', context: UNKNOWN })]
      const { blocks, notes } = snippetFor(client, { ...TO, models })
      expect(blocks.map(({ text }) => text).join('')).not.toMatch(/undefined|null|NaN/)
      expect(notes.join('\n')).toMatch(
        /The context of strange is not known here, so .* is left out/,
      )
    },
  )
})

describe('what runs in a terminal', () => {
  const headers = ['-H', 'Authorization: Bearer the key']

  test('OpenCode: fetches its file, then asks; or puts it into the one that is there', () => {
    expect(callsIn(shellOf('opencode'))).toEqual([
      ['curl', '-fsS', ...headers, 'http://box:3000/opencode.json', '-o', 'opencode.json'],
      ['opencode', 'run', '-m', 'llama-swap/qwen3', 'Say hello'],
      words('swapgate opencode --write --url http://box:3000'),
    ])
    const other = { ...TO, keyVariable: 'MY_KEY' }
    expect(callsIn(shellOf('opencode', other)).at(-1)).toEqual(
      words('swapgate opencode --write --url http://box:3000 --key-env MY_KEY'),
    )
  })

  test('OpenCode: it is said before the command that it replaces a file', () => {
    expect(snippetFor('opencode', TO).blocks.map(({ where }) => where)).toEqual([
      'A terminal, with your key in place of sk-...',
      'The same terminal, in the folder of your project; an opencode.json that is there is replaced',
      'In the place of curl, where an opencode.json of yours is there',
    ])
  })

  test('Claude Code: all its models are the one, and the base URL has no /v1', () => {
    const script = shellOf('claude').replace(
      /claude\n$/,
      'claude "$ANTHROPIC_BASE_URL" "$ANTHROPIC_AUTH_TOKEN" "$ANTHROPIC_MODEL" "$ANTHROPIC_DEFAULT_HAIKU_MODEL" "$ANTHROPIC_DEFAULT_SONNET_MODEL" "$ANTHROPIC_DEFAULT_OPUS_MODEL" "$CLAUDE_CODE_MAX_CONTEXT_TOKENS" "$CLAUDE_CODE_AUTO_COMPACT_WINDOW" "$CLAUDE_CODE_MAX_OUTPUT_TOKENS" "$API_TIMEOUT_MS"',
    )
    expect(callsIn(script)).toEqual([
      [
        ...words('claude http://box:3000'),
        'the key',
        ...words('qwen3 qwen3 qwen3 qwen3 131072 131072 16384 1800000'),
      ],
    ])
  })

  test('aider: the model is named with its API', () => {
    expect(callsIn(shellOf('aider'))).toEqual([
      words('aider --model openai/qwen3 --weak-model openai/qwen3 --timeout 1800'),
    ])
  })

  test('curl: the list, and a stream', () => {
    const body =
      '{"model":"qwen3","messages":[{"role":"user","content":"Say hello"}],"stream":true}'
    expect(callsIn(shellOf('curl'))).toEqual([
      ['curl', '-sS', ...headers, 'http://box:3000/v1/models'],
      [
        'curl',
        '-sSN',
        ...headers,
        '-H',
        'Content-Type: application/json',
        '-d',
        body,
        'http://box:3000/v1/chat/completions',
      ],
    ])
  })

  test('Open WebUI: the time-out is empty, and tasks go to the same model', () => {
    expect(callsIn(shellOf('open-webui'))).toEqual([
      [
        ...words('docker run -d --name open-webui -p 8081:8080 -v open-webui:/app/backend/data'),
        ...words('-e OPENAI_API_BASE_URL=http://box:3000/v1 -e'),
        'OPENAI_API_KEY=the key',
        ...words('-e ENABLE_OLLAMA_API=false -e AIOHTTP_CLIENT_TIMEOUT='),
        ...words('-e TASK_MODEL_EXTERNAL=qwen3 -e DEFAULT_MODELS=qwen3'),
        'ghcr.io/open-webui/open-webui:main',
      ],
    ])
  })

  test.each([
    ['http://localhost:3000', 'http://host.docker.internal:3000/v1'],
    ['http://127.0.0.1:3000', 'http://host.docker.internal:3000/v1'],
    ['http://[::1]:3000', 'http://host.docker.internal:3000/v1'],
    ['https://localhost.example', 'https://localhost.example/v1'],
  ])('Open WebUI reaches %s from its container as %s', (baseUrl, url) => {
    expect(callsIn(shellOf('open-webui', { ...TO, baseUrl }))[0]).toContain(
      `OPENAI_API_BASE_URL=${url}`,
    )
  })
})

describe('what stands in a file', () => {
  test('Codex: one profile, with the Responses API and room for the answer', () => {
    expect(parseToml(textOf('codex', 'toml'))).toEqual({
      model: 'qwen3',
      model_provider: 'swapgate',
      model_context_window: 131_072,
      model_auto_compact_token_limit: 114_688,
      web_search: 'disabled',
      model_providers: {
        swapgate: {
          name: 'swapgate',
          base_url: 'http://box:3000/v1',
          env_key: 'LLAMA_SWAP_API_KEY',
          wire_api: 'responses',
          stream_idle_timeout_ms: 1_800_000,
        },
      },
    })
  })

  test('Zed: every model for chats whose context is known, each once', () => {
    const small = { tools: false, images: false, parallel_tool_calls: false }
    const qwen = { tools: true, images: true, parallel_tool_calls: false }
    expect(JSON.parse(textOf('zed', 'json'))).toEqual({
      language_models: {
        openai_compatible: {
          swapgate: {
            api_url: 'http://box:3000/v1',
            available_models: [
              zed('qwen3', {
                display_name: 'Qwen 3',
                capabilities: { ...qwen, prompt_cache_key: false },
              }),
              zed('small', {
                display_name: 'small',
                max_tokens: 32_768,
                max_output_tokens: 8192,
                capabilities: { ...small, prompt_cache_key: false },
              }),
            ],
          },
        },
      },
    })
    expect(snippetFor('zed', TO).notes).toContain(
      'Left out, since Zed needs to know the context: strange.',
    )
  })

  test('Continue: nothing reads like a place for a secret but that of the key', () => {
    const secret = '${{ secrets.OTHER }}'
    const models = [
      chatModel({ id: `x-${secret}` }),
      chatModel({ id: 'y', name: `Y ${secret}` }),
      chatModel({ id: 'z' }),
    ]
    const { models: written } = parseYaml(textOf('continue', 'yaml', { ...TO, models }))
    expect(
      written.map(({ name, model }: { name: unknown; model: unknown }) => [name, model]),
    ).toEqual([
      ['y', 'y'],
      ['z', 'z'],
    ])
    expect(snippetFor('continue', { ...TO, models }).notes).toContain(
      'Left out, since Continue would take a part of the name for a secret: x-${{ secrets.OTHER }}.',
    )
    const none = textOf('continue', 'yaml', { ...TO, models: models.slice(0, 1) })
    expect([none.includes('OTHER'), none.includes('your-model')]).toEqual([false, true])
  })

  test('Continue: every model for chats, sizes where they are known, the key from its own file', () => {
    const all = {
      provider: 'openai',
      apiBase: 'http://box:3000/v1',
      apiKey: '${{ secrets.LLAMA_SWAP_API_KEY }}',
      roles: ['chat', 'edit', 'apply'],
    }
    expect(parseYaml(textOf('continue', 'yaml'))).toEqual({
      name: 'swapgate',
      version: '1.0.0',
      schema: 'v1',
      models: [
        {
          ...all,
          name: 'Qwen 3',
          model: 'qwen3',
          capabilities: ['tool_use', 'image_input'],
          defaultCompletionOptions: { contextLength: 131_072, maxTokens: 16_384 },
        },
        {
          ...all,
          name: 'small',
          model: 'small',
          capabilities: [],
          defaultCompletionOptions: { contextLength: 32_768, maxTokens: 8192 },
        },
        { ...all, name: 'strange', model: 'strange', capabilities: ['tool_use'] },
      ],
    })
  })

  test('aider: what the model holds, under the name that aider uses', () => {
    expect(JSON.parse(textOf('aider', 'json'))).toEqual({
      'openai/qwen3': {
        max_tokens: 16_384,
        max_input_tokens: 131_072,
        max_output_tokens: 16_384,
        input_cost_per_token: 0,
        output_cost_per_token: 0,
        litellm_provider: 'openai',
        mode: 'chat',
      },
    })
  })
})

describe('Claude Code is honest about contexts', () => {
  test.each([
    ['qwen3', 131_072, 'It compacts by itself at about 101,688 tokens'],
    ['qwen3', 98_304, 'It compacts by itself at about 68,920 tokens'],
    ['qwen3', 32_768, 'A context of 32,768 tokens is little for Claude Code'],
    ['claude-like', 131_072, 'ignores CLAUDE_CODE_MAX_CONTEXT_TOKENS for names that begin'],
  ])('%s with %d tokens: %s', (id, tokens, said) => {
    expect(notesFor(id, tokens)).toContain(said)
  })
})

test.each([
  [32_768, 100_000],
  [98_304, 100_000],
  [131_072, 131_072],
  [2_000_000, 1_000_000],
])(
  'Claude Code with %d tokens: its window for compaction is one that it takes',
  (tokens, window) => {
    const context = { tokens, source: 'props', certainty: 'exact', why: '' } as const
    const text = shellOf('claude', { ...TO, models: [chatModel({ id: 'a', context })] })
    expect(text).toContain(`export CLAUDE_CODE_AUTO_COMPACT_WINDOW=${window}\n`)
  },
)

test('whatever a model is called, what is written can be read back', () => {
  const ids = string({ unit: 'binary', minLength: 1 }).map((id) => id.replaceAll('\0', '-'))
  assert(
    property(ids, (id) => {
      const to = { ...TO, models: [chatModel({ id })] }
      const written: { language_models: { openai_compatible: { swapgate: unknown } } } = JSON.parse(
        textOf('zed', 'json', to),
      )
      expect({
        codex: parseToml(textOf('codex', 'toml', to))['model'],
        continue: parseYaml(textOf('continue', 'yaml', to)),
        aider: Object.keys(JSON.parse(textOf('aider', 'json', to))),
        zed: written.language_models.openai_compatible.swapgate,
      }).toMatchObject({
        codex: id,
        continue: { models: [{ model: id }] },
        aider: [`openai/${id}`],
        zed: { available_models: [{ name: id }] },
      })
    }),
    { numRuns: 300 },
  )
})

test('whatever a model is called, a shell runs nothing of it', () => {
  const id = '$(exit 7) `x` "y" it\'s; \\ & | *\n#'
  const to = { ...TO, models: [chatModel({ id })] }
  expect(callsIn(shellOf('opencode', to)).at(1)).toEqual([
    'opencode',
    'run',
    '-m',
    `llama-swap/${id}`,
    'Say hello',
  ])
  expect(callsIn(shellOf('aider', to))[0]?.[2]).toBe(`openai/${id}`)
  const sent: unknown = JSON.parse(callsIn(shellOf('curl', to))[1]?.[7] ?? '')
  expect(sent).toMatchObject({ model: id })
})
