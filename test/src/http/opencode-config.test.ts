import { describe, expect, test } from 'vitest'
import { formatJson } from '../../../src/opencode/format-json.ts'
import { jsonAnswer } from '../../support/fake-upstream.ts'
import { codeOf, KEYS, openGate, type Answer } from './open-gate.ts'

const PATH = '/opencode.json'

type File = { model?: string; provider: Record<string, { options: unknown; models: object }> }

function fileIn({ text }: Answer): File {
  const file: File = JSON.parse(text)
  return file
}

/** Where the file leads; what was said instead of one. */
function optionsIn(answer: Answer): unknown {
  return answer.status === 200 ? fileIn(answer).provider['llama-swap']?.options : answer.text
}

/** Each provider with the models that it offers. */
function modelsIn(answer: Answer): Record<string, string[]> {
  const { provider } = fileIn(answer)
  return Object.fromEntries(
    Object.entries(provider).map(([id, { models }]) => [id, Object.keys(models)]),
  )
}

function messageOf({ text }: Answer): string {
  const value: { error: { message: string } } = JSON.parse(text)
  return value.error.message
}

describe('GET /opencode.json', () => {
  test('is a file to save, for one key, to be asked for again each time', async () => {
    const { ask } = await openGate()
    const answer = await ask(PATH, { key: KEYS.user })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'content-disposition': 'inline; filename="opencode.json"',
      'cache-control': 'private, no-cache',
      vary: 'authorization, x-api-key',
      etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
    })
    expect(answer.text).toBe(`${formatJson(fileIn(answer))}\n`)
    expect(fileIn(answer).provider['llama-swap']?.options).toMatchObject({
      baseURL: 'http://gate.test:3000/v1',
    })
  })

  test('holds the models that the key may use, and no key', async () => {
    const { ask } = await openGate()
    const [all, limited] = [
      await ask(PATH, { key: KEYS.user }),
      await ask(PATH, { key: KEYS.limited }),
    ]
    expect([modelsIn(all), modelsIn(limited)]).toEqual([
      { 'llama-swap': ['glm-4.7-flash', 'gpt-oss-120b', 'cloud/x'] },
      { 'llama-swap': ['glm-4.7-flash'] },
    ])
    expect(all.text).not.toContain('sk-')
  })

  test.each([
    ['?provider=box', { box: ['glm-4.7-flash', 'gpt-oss-120b', 'cloud/x'] }],
    ['?models=cloud/x,glm-4.7-flash', { 'llama-swap': ['cloud/x', 'glm-4.7-flash'] }],
    ['?models=cloud%2Fx&provider=home.box', { 'home.box': ['cloud/x'] }],
    ['?models=cloud/x,%20cloud/x', { 'llama-swap': ['cloud/x'] }],
    ['?models=cloud/x&models=glm-4.7-flash', { 'llama-swap': ['cloud/x', 'glm-4.7-flash'] }],
    ['?models=big,gpt-oss-120b', { 'llama-swap': ['gpt-oss-120b'] }],
  ])('%s chooses %j', async (query, models) => {
    const { ask } = await openGate()
    expect(modelsIn(await ask(PATH + query, { key: KEYS.user }))).toEqual(models)
  })

  test.each([
    ['?model=x', 'There is no query field "model". Known fields: provider, base, models.'],
    ['?provider=a&provider=b', 'The query field "provider" is there twice; leave one.'],
    ['?provider=openai-box', /^"provider" must be lower-case .* must not begin with "openai"/],
    ['?provider=OpenCode', /^"provider" must be/],
    ['?provider=', /^"provider" must be/],
    [`?${'x'.repeat(90)}`, `There is no query field "${'x'.repeat(80)}…".`],
    [`?models=${'x'.repeat(90)}`, `"models" names "${'x'.repeat(80)}…", which`],
    ['?models=', '"models" names ""'],
    ['?models=gpt-oss-120b', '"models" names "gpt-oss-120b", which this key cannot use.'],
    ['?models=nothing', '"models" names "nothing", which this key cannot use.'],
    ['?models=big', '"models" names "big", which this key cannot use.'],
    ['?models=glm-4.7-flash&models=big', '"models" names "big", which this key cannot use.'],
  ])('%s is refused, with what to write instead', async (query, said) => {
    const { ask } = await openGate()
    const answer = await ask(PATH + query, { key: KEYS.limited })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid_request'])
    expect(messageOf(answer)).toMatch(said)
  })

  test('an id with a comma is named by a field of its own', async () => {
    const { ask, upstream } = await openGate()
    const data = [{ id: 'a,b' }, { id: 'a' }, { id: 'c' }]
    upstream.onCall = (call) => void call.answer(jsonAnswer({ data }))
    const queries = ['?models=a,b', '?models=a,b&models=c', '?models=c,a&models=a,b']
    const answers = await Promise.all(queries.map((query) => ask(PATH + query, { key: KEYS.user })))
    expect(answers.map(modelsIn)).toEqual([
      { 'llama-swap': ['a,b'] },
      { 'llama-swap': ['a,b', 'c'] },
      { 'llama-swap': ['c', 'a', 'a,b'] },
    ])
  })

  test('holds no text in which OpenCode would put a variable or a file of its user', async () => {
    const { ask, upstream } = await openGate()
    const data = [
      { id: 'x-{file:~/.ssh/id_rsa}' },
      { id: 'y', name: '{env:HOME}', description: '{file:/etc/passwd}' },
    ]
    upstream.onCall = (call) => void call.answer(jsonAnswer({ data }))
    const answer = await ask(PATH, { key: KEYS.user })
    // OpenCode writes what it fetches anew before it replaces: an escape alone would be gone by then.
    expect(JSON.stringify(JSON.parse(answer.text))).not.toMatch(/\{(?:env|file):/)
    expect(modelsIn(answer)).toEqual({ 'llama-swap': ['y'] })
  })

  describe('"base", where a browser knows better than the gate how it is reached', () => {
    const at = { host: 'gate.test' }
    test.each([
      ['https://gate.test', 'https://gate.test/v1'],
      ['https://gate.test/', 'https://gate.test/v1'],
      ['https://GATE.test:8443', 'https://gate.test:8443/v1'],
      ['http://gate.test', 'http://gate.test/v1'],
      ['https://llm.example', 'https://llm.example/v1'],
      ['https://llm.example/gate/', 'https://llm.example/gate/v1'],
    ])('%s: the file leads to %s', async (base, baseURL) => {
      const { ask } = await openGate({ publicUrl: 'https://llm.example/gate' })
      const query = `?base=${encodeURIComponent(base)}`
      const answer = await ask(PATH + query, { key: KEYS.user, headers: at })
      expect(optionsIn(answer)).toMatchObject({ baseURL })
    })

    test.each([
      '',
      'gate.test',
      'ftp://gate.test',
      'https://evil.test',
      'https://gate.test.evil.test',
      'https://gate.test@evil.test',
      'https://me@gate.test',
      'https://:x@gate.test',
      'https://gate.test/?x',
      'https://gate.test/#x',
      'https://gate.test/{file:x}',
      'https://llm.example',
    ])('%j is refused', async (base) => {
      const { ask } = await openGate()
      const query = `?base=${encodeURIComponent(base)}`
      const answer = await ask(PATH + query, { key: KEYS.user, headers: at })
      expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid_request'])
      expect(messageOf(answer)).toMatch(/^"base" must be/)
    })
  })

  describe('for who has it already', () => {
    test.each([
      ['its tag', (tag: string) => tag],
      ['the tag made weak by a proxy that compresses', (tag: string) => `W/${tag}`],
      ['several tags', (tag: string) => `"other", ${tag}`],
      ['any tag', () => '*'],
    ])('and names %s it is 304 without a body', async (_what, naming) => {
      const { ask, events } = await openGate()
      const { headers: first } = await ask(PATH, { key: KEYS.user })
      const headers = { 'if-none-match': naming(first['etag'] ?? '') }
      const again = await ask(PATH, { key: KEYS.user, headers })
      expect([again.status, again.text]).toEqual([304, ''])
      expect(again.headers).toMatchObject({
        etag: first['etag'],
        'cache-control': 'private, no-cache',
        vary: 'authorization, x-api-key',
        'x-request-id': again.headers['request-id'],
      })
      expect(events.at(-1)).toMatchObject({ status: 304, outcome: 'completed', bytesOut: 0 })
    })

    test('but another one, for another key, it is sent whole', async () => {
      const { ask } = await openGate()
      const { headers: first } = await ask(PATH, { key: KEYS.user })
      const headers = { 'if-none-match': first['etag'] ?? '' }
      expect((await ask(PATH, { key: KEYS.limited, headers })).status).toBe(200)
    })
  })

  test.each(['/opencode.json', '/connect.json'])(
    '%s answers as the list of models does when llama-swap is down',
    async (path) => {
      const { ask, upstream } = await openGate()
      upstream.onCall = (call) => call.events.failure('unreachable')
      const [settings, list] = [
        await ask(path, { key: KEYS.user }),
        await ask('/v1/models', { key: KEYS.user }),
      ]
      expect([settings.status, settings.text]).toEqual([list.status, list.text])
      expect(settings.status).toBe(503)
    },
  )
})
