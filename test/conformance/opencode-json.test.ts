import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { callsTo, harnesses, KEYS, ROOMY } from './gates.ts'

type File = { provider: Record<string, { options: { baseURL: string }; models: object }> }
type Settings = { baseUrl: string; models: { id: string }[]; snippets: { client: string }[] }

const CLIENTS = ['opencode', 'claude', 'codex', 'zed', 'continue', 'open-webui', 'aider', 'curl']

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({ upstream: { url: upstream.url }, ...ROOMY })
  })
  afterEach(() => upstream.reset())
  afterAll(async () => {
    await gate.stop()
    await upstream.stop()
  })

  function ask(
    path: string,
    key?: string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` }
    return fetch(gate.url + path, { headers: { ...headers, ...authorization } })
  }

  test('/opencode.json holds the base URL of the request and the models of the key', async () => {
    const answer = await ask('/opencode.json', KEYS.limited)
    const file: File = JSON.parse(await answer.text())
    const provider = file.provider['llama-swap']
    expect([answer.status, provider?.options.baseURL, Object.keys(provider?.models ?? {})]).toEqual(
      [200, `${gate.url}/v1`, ['glm-4.7-flash']],
    )
    expect(callsTo(upstream)).toEqual([])
  })

  test('/opencode.json is for the address that the browser says, if its host is the one that was asked', async () => {
    const base = gate.url.replace('http:', 'https:')
    const answers = [
      await ask(`/opencode.json?base=${base}`, KEYS.limited),
      await ask('/opencode.json?base=https://evil.example', KEYS.limited),
    ]
    const file: File = JSON.parse(await answers[0]!.text())
    expect([
      answers.map(({ status }) => status),
      file.provider['llama-swap']?.options.baseURL,
    ]).toEqual([[200, 400], `${base}/v1`])
  })

  test('/opencode.json is sent again only when it has changed', async () => {
    const first = await ask('/opencode.json', KEYS.user)
    const again = await ask('/opencode.json', KEYS.user, {
      'if-none-match': first.headers.get('etag') ?? '',
    })
    const other = await ask('/opencode.json?models=glm-4.7-flash', KEYS.user, {
      'if-none-match': first.headers.get('etag') ?? '',
    })
    expect([first.status, again.status, await again.text(), other.status]).toEqual([
      200,
      304,
      '',
      200,
    ])
  })

  test('/connect.json holds the same models, and settings for every client', async () => {
    const answer = await ask('/connect.json', KEYS.limited)
    const { baseUrl, models, snippets }: Settings = JSON.parse(await answer.text())
    expect([
      answer.status,
      baseUrl,
      models.map(({ id }) => id),
      snippets.map(({ client }) => client),
    ]).toEqual([200, gate.url, ['glm-4.7-flash'], CLIENTS])
  })

  test.each(['/opencode.json', '/connect.json'])('%s needs a key', async (path) => {
    const statuses = [(await ask(path)).status, (await ask(path, 'sk-wrong')).status]
    expect(statuses).toEqual([401, 401])
  })

  test.each(['/opencode.json?models=gpt-oss-120b', '/connect.json?model=gpt-oss-120b'])(
    '%s is refused to a key that may not use it',
    async (path) => {
      expect((await ask(path, KEYS.limited)).status).toBe(400)
    },
  )
})
