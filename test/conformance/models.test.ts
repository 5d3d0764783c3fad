import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { modelList, runningList, SECRET_IN_CMD } from '../support/look-alike/catalogue.ts'
import { openRaw, sendRaw } from '../support/raw-http.ts'
import { headerValue, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../support/raw-http/raw-request.ts'
import { callsTo, harnesses, ROOMY } from './gates.ts'

const CHAT = '/v1/chat/completions'

/** Every name that llama-swap knows or may know, in the order of its list. */
const NAMES = [
  'gpt-oss-120b',
  'gpt',
  'glm-4.7-flash',
  'qwen3-coder-next',
  'coder',
  'fast',
  'cloud/big-model',
  'big-model',
  'unlisted-model',
]

/** What a key's list says, and all the names that it lets through. */
const LISTS: { id: string; models: string[]; lets: string[] }[] = [
  { id: 'everything', models: ['*'], lets: NAMES },
  { id: 'one-model', models: ['glm-4.7-flash'], lets: ['glm-4.7-flash'] },
  { id: 'an-alias', models: ['coder'], lets: ['qwen3-coder-next', 'coder'] },
  {
    id: 'patterns',
    models: ['gpt-*', 'qwen*'],
    lets: ['gpt-oss-120b', 'gpt', 'qwen3-coder-next', 'coder'],
  },
  { id: 'a-pattern-like-an-alias', models: ['cod*', 'gp?', 'gpt.*'], lets: [] },
  { id: 'a-selector', models: ['fast'], lets: ['fast'] },
  {
    id: 'all-targets-of-the-selector',
    models: ['glm-4.7-flash', 'qwen3-coder-next'],
    lets: ['glm-4.7-flash', 'qwen3-coder-next', 'coder', 'fast'],
  },
  { id: 'a-peer', models: ['cloud/*'], lets: ['cloud/big-model', 'big-model'] },
  { id: 'a-bare-peer-model', models: ['big-model'], lets: ['cloud/big-model', 'big-model'] },
  { id: 'an-unlisted-model', models: ['unlisted-model'], lets: ['unlisted-model'] },
  { id: 'nothing-that-exists', models: ['nothing'], lets: [] },
]

const secretOf = (id: string) => `sk-${id}-0123456789abcdef0123456789`
const STATUS = secretOf('status')
const WATCH = secretOf('watch')
const ADMIN = secretOf('admin')
const keys = [
  ...LISTS.map(({ id, models }) => ({ id, secret: secretOf(id), models })),
  { id: 'status', secret: STATUS, scopes: ['status' as const] },
  { id: 'watch', secret: WATCH, scopes: ['status' as const], models: ['glm-4.7-flash'] },
  { id: 'admin', secret: ADMIN, scopes: ['admin' as const] },
]

/** A chat request for a model. */
function chat(model: string, key: string, more: object = {}): Buffer {
  const headers = { Authorization: `Bearer ${key}` }
  return rawJsonPost(CHAT, { model, messages: [], ...more }, headers)
}

function get(target: string, key: string, headers: Record<string, string> = {}): Buffer {
  return rawRequest({ target, headers: { Authorization: `Bearer ${key}`, ...headers } })
}

type Listed = { id: string; [field: string]: unknown }

function recordsOf(list: unknown): Listed[] {
  return JSON.parse(JSON.stringify(list)).data
}

/** Of the records what comes from llama-swap whatever the gate knows: which model is loaded when is another test's. */
function swappedOnly(records: readonly Listed[]): unknown[] {
  return records.map(({ id, object, created, owned_by, name, description, meta, status }) => {
    const { llamaswap } = JSON.parse(JSON.stringify(meta))
    return { id, object, created, owned_by, name, description, llamaswap, status }
  })
}

/** The records that a key gets which lets these names through: none of them names another. */
function visibleTo(lets: readonly string[]): Listed[] {
  const list = modelList('gpt-oss-120b')
  return recordsOf(list)
    .filter(({ id }) => lets.includes(id))
    .map((listed) => {
      const { llamaswap, ...meta } = JSON.parse(JSON.stringify(listed['meta']))
      const told = Object.entries(llamaswap).map(([name, value]) =>
        Array.isArray(value) ? [name, value.filter((each) => lets.includes(each))] : [name, value],
      )
      return { ...listed, meta: { ...meta, llamaswap: Object.fromEntries(told) } }
    })
}

/** What a list shows as loaded. */
function loadedIn(list: { data: { id: string; status: { value: string } }[] }): string[] {
  return list.data.filter(({ status }) => status.value === 'loaded').map(({ id }) => id)
}

/** The models of what came through, without the gate's own questions. */
function askedFor(upstream: LookAlike): (string | undefined)[] {
  return callsTo(upstream).map(({ model }) => model)
}

/** How often the gate itself asked for the list. */
function timesListed(upstream: LookAlike): number {
  return upstream.requests.filter(({ url }) => url === '/v1/models').length
}

/** Everything that a client gets, with the request's own id and time left out. */
function tellsOf(answer: RawAnswer, model: string): string {
  const lines = answer.headerLines.filter((line) => !/^(x-request-id|request-id|date):/i.test(line))
  return [answer.statusLine, ...lines, textOf(answer)].join('\n').replaceAll(model, '<model>')
}

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({ upstream: { url: upstream.url }, ...ROOMY, keys })
  })
  afterEach(() => upstream.reset())
  afterAll(async () => {
    await gate.stop()
    await upstream.stop()
  })

  function send(bytes: Buffer): Promise<RawAnswer> {
    return sendRaw(gate.url, bytes)
  }

  describe.each(LISTS)('a key with the list of $id', ({ id, lets }) => {
    const key = secretOf(id)

    test.each(['/v1/models', '/models', '/v1/models?limit=1000'])(
      'sees at %s the records of its models and no others',
      async (target) => {
        const answer = await send(get(target, key))
        const visible = visibleTo(lets)
        const { data, ...list } = JSON.parse(textOf(answer))
        expect([answer.status, list, swappedOnly(data)]).toEqual([
          200,
          {
            object: 'list',
            has_more: false,
            first_id: visible[0]?.id ?? null,
            last_id: visible.at(-1)?.id ?? null,
          },
          swappedOnly(visible),
        ])
      },
    )

    test.each(NAMES)('with %s reaches that or nothing', async (name) => {
      const { status } = await send(chat(name, key))
      expect([status === 404, askedFor(upstream)]).toEqual([
        !lets.includes(name) || name === 'unlisted-model',
        lets.includes(name) ? [name] : [],
      ])
    })
  })

  describe('the list of models', () => {
    const key = secretOf('everything')

    test('is never kept, neither by the gate nor by anyone else', async () => {
      const conditions = { 'If-None-Match': '*', 'If-Modified-Since': new Date().toUTCString() }
      const first = await send(get('/v1/models', key))
      await send(chat('glm-4.7-flash', key))
      const second = await send(get('/v1/models', key, conditions))
      expect([first, second].map((answer) => loadedIn(JSON.parse(textOf(answer))))).toEqual([
        ['gpt-oss-120b'],
        ['glm-4.7-flash', 'fast'],
      ])
      const names = ['content-type', 'cache-control', 'etag', 'last-modified', 'expires', 'age']
      expect(names.map((name) => headerValue(second, name))).toEqual([
        'application/json',
        'no-store',
        undefined,
        undefined,
        undefined,
        undefined,
      ])
      expect(timesListed(upstream)).toBe(2)
    })

    test('is asked for without anything of the client', async () => {
      await send(get('/v1/models?model=x&key=y', key, { Cookie: 'a=b', 'X-Odd': 'odd' }))
      expect(
        new Set(
          upstream.requests.map(({ method, url, headers }) =>
            JSON.stringify([
              `${method} ${url}`,
              headers['x-odd'] ?? '',
              headers['cookie'] ?? '',
              headers['authorization'] ?? '',
            ]),
          ),
        ),
      ).toEqual(new Set(['["GET /running","","",""]', '["GET /v1/models","","",""]']))
    })

    test('answers while the box is busy with streams and silent calls', async () => {
      const waiting = await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          upstream.behave(i % 2 === 0 ? { kind: 'endless', everyMs: 5 } : { kind: 'never-headers' })
          return openRaw(gate.url, chat('gpt-oss-120b', key, { stream: true, i }))
        }),
      )
      await upstream.waitFor(() => askedFor(upstream).length === waiting.length)
      for (const target of ['/v1/models', '/running', '/health']) {
        const answer = await sendRaw(gate.url, get(target, target === '/running' ? STATUS : key), {
          withinMs: 2000,
        })
        expect([target, answer.status]).toEqual([target, 200])
      }
      for (const connection of waiting) connection.destroy()
    })

    test.each([
      ['llama-swap is not there', { kind: 'reset-before-headers' as const }, 503],
      ['it is no list', { kind: 'answer' as const, status: 200, body: '<html>' }, 502],
      ['llama-swap refuses the gate', { kind: 'answer' as const, status: 401, body: '{}' }, 502],
    ])('is an error when %s, never an empty list', async (_what, behaviour, status) => {
      // The gate asks twice, and Bun each time once more on its own when a kept-alive connection breaks; a
      // question of the gate's own may come between.
      upstream.behaveAt('/v1/models', ...Array.from({ length: 6 }, () => behaviour))
      const answer = await send(get('/v1/models', key))
      expect([answer.status, Object.keys(JSON.parse(textOf(answer)))]).toEqual([status, ['error']])
    })
  })

  describe('a model that is not there and one that the key may not use', () => {
    const key = secretOf('one-model')
    const forbidden = 'gpt-oss-120b'
    const unknown = 'abc-def-ghij'
    const upload = (model: string) =>
      rawRequest({
        target: '/v1/audio/transcriptions',
        headers: {
          Authorization: `Bearer ${key}`,
          'Content-Type': 'multipart/form-data; boundary=B',
        },
        body: `--B\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n--B--\r\n`,
      })

    test.each<[what: string, request: (model: string, key: string) => Buffer]>([
      ['POST /v1/chat/completions', chat],
      ['a stream', (model) => chat(model, key, { stream: true })],
      [
        'POST /v1/messages',
        (model) => rawJsonPost('/v1/messages', { model }, { 'x-api-key': key }),
      ],
      ['GET /props', (model) => get(`/props?model=${model}`, key)],
      [
        'HEAD /props',
        (model) =>
          rawRequest({
            method: 'HEAD',
            target: `/props?model=${model}`,
            headers: { 'x-api-key': key },
          }),
      ],
      ['an upload', upload],
    ])('get answers that differ in the name only: %s', async (_what, request) => {
      const answers = [await send(request(forbidden, key)), await send(request(unknown, key))]
      const [first, second] = [tellsOf(answers[0]!, forbidden), tellsOf(answers[1]!, unknown)]
      expect([first.includes(' 404 '), second]).toEqual([true, first])
      expect(askedFor(upstream)).toEqual([])
    })

    test('get the answer of a key for all models to a model that is not there', async () => {
      const everything = secretOf('everything')
      const [own, other] = [await send(chat(unknown, key)), await send(chat(unknown, everything))]
      expect([other.status, textOf(other)]).toEqual([404, textOf(own)])
      expect(JSON.parse(textOf(own))).toEqual({
        error: {
          message: `Unknown model "${unknown}". GET /v1/models lists what this key may use.`,
          type: 'not_found_error',
          param: null,
          code: 'model_not_found',
        },
      })
    })

    test.each([
      ['gpt-oss-120', 'Unknown model "gpt-oss-120". GET'],
      ['glm-4.7-flsh', 'Unknown model "glm-4.7-flsh". Did you mean "glm-4.7-flash"? GET'],
    ])('%s is not told of models that the key may not use', async (name, beginning) => {
      const { error } = JSON.parse(textOf(await send(chat(name, key))))
      expect(error.message.slice(0, beginning.length)).toBe(beginning)
    })
  })

  describe('GET /running', () => {
    test('shows a status key what is loaded, without command lines and addresses', async () => {
      const answer = await send(get('/running', STATUS))
      const shown = { model: 'gpt-oss-120b', state: 'ready', ttl: 0, name: '', description: '' }
      expect([
        answer.status,
        JSON.parse(textOf(answer)),
        headerValue(answer, 'cache-control'),
      ]).toEqual([200, { running: [shown] }, 'no-store'])
      expect(textOf(answer)).not.toMatch(
        new RegExp(`${SECRET_IN_CMD}|cmd|proxy|localhost|llama-server`),
      )
    })

    test('shows a status key only the models of its list', async () => {
      const running = async () => JSON.parse(textOf(await send(get('/running', WATCH))))
      const before = await running()
      await send(chat('glm-4.7-flash', secretOf('everything')))
      const shown = { model: 'glm-4.7-flash', state: 'ready', ttl: 0, name: '', description: '' }
      expect([before, await running()]).toEqual([{ running: [] }, { running: [shown] }])
    })

    test('shows an administrator what llama-swap says', async () => {
      const answer = await send(get('/running', ADMIN))
      const { url } = upstream.servers
      expect(JSON.parse(textOf(answer))).toEqual(runningList('gpt-oss-120b', url))
    })
  })
})

const CONFIG_YAML = `
models:
  gpt-oss-120b:
    cmd: llama-server --port \${PORT} -m a.gguf
    aliases: [gpt, glm-large]
  glm-4.7-flash:
    cmd: llama-server --port \${PORT} -m b.gguf
    filters:
      setParamsByID:
        "\${MODEL_ID}:thinking": { temperature: 1 }
        glm-low: { reasoning_effort: low }
  qwen3-coder-next:
    cmd: llama-server --port \${PORT} -m c.gguf
    aliases: [coder]
  hidden-model:
    cmd: llama-server --port \${PORT} -m d.gguf
    unlisted: true
    aliases: [concealed]
selectors:
  night: { strategy: warm, targets: [hidden-model, glm-4.7-flash] }
profiles:
  busy: { pins: { qwen3-coder-next: gpt-oss-120b } }
peers:
  other: { proxy: "http://127.0.0.1:1", models: [far-model] }
`

/** Lists, and of the names that are tried those that each lets through: with the file, and by the listing alone. */
const CONFIGURED: { models: string[]; tried: string[]; lets: string[]; byListing: string[] }[] = [
  {
    models: ['glm-4.7-flash'],
    tried: [
      'glm-4.7-flash',
      'glm-4.7-flash:thinking',
      'glm-low',
      'glm-large',
      'night',
      'hidden-model',
      'concealed',
      'far-model',
      'other/far-model',
    ],
    lets: ['glm-4.7-flash', 'glm-4.7-flash:thinking', 'glm-low'],
    byListing: ['glm-4.7-flash'],
  },
  {
    models: ['glm-low'],
    tried: ['glm-4.7-flash', 'glm-low', 'glm-4.7-flash:thinking', 'glm-large'],
    lets: ['glm-4.7-flash', 'glm-low', 'glm-4.7-flash:thinking'],
    byListing: ['glm-low'],
  },
  {
    models: ['glm*'],
    tried: ['glm-4.7-flash', 'glm-low', 'glm-large', 'gpt', 'night'],
    lets: ['glm-4.7-flash', 'glm-low'],
    byListing: ['glm-4.7-flash'],
  },
  {
    // A profile may put gpt-oss-120b in the place of this model.
    models: ['qwen3-coder-next'],
    tried: ['qwen3-coder-next', 'coder', 'gpt-oss-120b'],
    lets: [],
    byListing: ['qwen3-coder-next', 'coder'],
  },
  {
    models: ['coder', 'gpt'],
    tried: ['qwen3-coder-next', 'coder', 'gpt-oss-120b', 'glm-large', 'glm-low'],
    lets: ['qwen3-coder-next', 'coder', 'gpt-oss-120b', 'glm-large'],
    byListing: ['qwen3-coder-next', 'coder', 'gpt-oss-120b'],
  },
  {
    models: ['hidden-*'],
    tried: ['hidden-model', 'concealed', 'night', 'glm-4.7-flash'],
    lets: ['hidden-model', 'concealed'],
    byListing: [],
  },
  {
    models: ['night'],
    tried: ['night', 'hidden-model', 'concealed', 'glm-4.7-flash', 'glm-low'],
    lets: ['night'],
    byListing: ['night'],
  },
  {
    models: ['glm-4.7-flash', 'concealed'],
    tried: ['night', 'hidden-model', 'concealed', 'gpt'],
    lets: ['night', 'hidden-model', 'concealed'],
    byListing: ['concealed'],
  },
  {
    models: ['other/*'],
    tried: ['other/far-model', 'far-model', 'cloud/big-model', 'big-model'],
    lets: ['other/far-model', 'far-model'],
    byListing: [],
  },
]

describe.each(harnesses)("on $name with llama-swap's own configuration", (harness) => {
  let folder: string
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swapgate-models-'))
    const configFile = join(folder, 'config.yaml')
    writeFileSync(configFile, CONFIG_YAML)
    upstream = await startLookAlike()
    gate = await harness.start({
      upstream: { url: upstream.url, configFile },
      ...ROOMY,
      keys: CONFIGURED.map(({ models }, i) => ({
        id: `key-${i}`,
        secret: secretOf(`${i}`),
        models,
      })),
    })
  })
  afterEach(() => upstream.reset())
  afterAll(async () => {
    await gate.stop()
    await upstream.stop()
    rmSync(folder, { recursive: true })
  })

  test.each(CONFIGURED.map((row, i) => ({ ...row, key: secretOf(`${i}`) })))(
    'the list $models lets through $lets of $tried',
    async ({ key, tried, lets, byListing }) => {
      for (const name of tried) await sendRaw(gate.url, chat(name, key))
      const cannot = harness.cannot['model-config-file']
      expect(askedFor(upstream)).toEqual(cannot === undefined ? lets : byListing)
    },
  )
})
