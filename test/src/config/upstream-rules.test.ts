import { describe, expect, test } from 'vitest'
import type { ConfigFile } from '../../../src/config/schema.ts'
import { faultsOf, parse } from './parse.ts'

const KEY = 'sk-0123456789abcdefghij'

async function warningsOf(
  upstream: ConfigFile['upstream'],
  file: ConfigFile = {},
): Promise<string[]> {
  const result = await parse({ keys: [KEY], upstream, ...file })
  return result.ok ? result.warnings : [result.message]
}

async function queueOf(file: ConfigFile): Promise<unknown> {
  const result = await parse({ keys: [KEY], ...file })
  return result.ok ? result.config.queue && result.config.queue.slotsPerModel : result.message
}

describe('the queue', () => {
  const gate = { kind: 'swapgate' as const, apiKey: 'k' }
  test.each<[string, ConfigFile, unknown]>([
    ['stands in front of llama-swap', {}, 4],
    ['stands in front of llama-swap that is named', { upstream: { kind: 'llama-swap' } }, 4],
    ['does not stand in front of a gate, which has its own', { upstream: gate }, false],
    ['stands there where it is written', { upstream: gate, queue: { slotsPerModel: 2 } }, 2],
    ['stands there where nothing but its name is written', { upstream: gate, queue: {} }, 4],
    ['stands nowhere where it is turned off', { queue: false }, false],
  ])('%s', async (_, file, queue) => {
    expect(await queueOf(file)).toEqual(queue)
  })

  const limited = [{ id: 'friend', secret: KEY, swap: 'use' as const }]
  test.each<[string, ConfigFile, string[]]>([
    [
      'is missing in front of a gate',
      { upstream: gate },
      [
        'keys[0].swap: "use" is kept by the queue, and queue is off where upstream is a gate (upstream.kind), which has the queue. Remove it, or what it forbids would be allowed',
      ],
    ],
    [
      'is turned off',
      { queue: false },
      [
        'keys[0].swap: "use" is kept by the queue, and queue is false. Remove it, or what it forbids would be allowed',
      ],
    ],
    ['is written', { upstream: gate, queue: {} }, []],
  ])('and a right that only it can keep, when it %s', async (_, file, faults) => {
    expect(await faultsOf({ ...file, keys: limited })).toEqual(faults)
  })
})

test.each(['Authorization', 'authorization', 'AUTHORIZATION'])(
  'two credentials for upstream are a fault, with %s in the headers',
  async (name) => {
    expect(
      await faultsOf({ keys: [KEY], upstream: { apiKey: 'k', headers: { [name]: 'Basic x' } } }),
    ).toEqual([
      `upstream.headers.${name}: would take the place of upstream.apiKey; remove one of the two`,
    ])
  },
)

test('the hash of a key is no key', async () => {
  const apiKey = `sha256:${'0'.repeat(64)}`
  expect(await faultsOf({ keys: [KEY], upstream: { apiKey } })).toEqual([
    'upstream.apiKey: is the hash of a key; the key itself (sk-…) is needed here, as "{env:NAME}" for example',
  ])
})

test('a key, and headers of a tunnel, are no fault, and neither is one credential', async () => {
  const headers = { 'CF-Access-Client-Id': 'i', 'CF-Access-Client-Secret': 's' }
  expect([
    await faultsOf({ keys: [KEY], upstream: { apiKey: 'k', headers } }),
    await faultsOf({ keys: [KEY], upstream: { headers: { Authorization: 'Basic x' } } }),
  ]).toEqual([[], []])
})

function clear(what: string, host: string): string[] {
  return [`${what} and every prompt travel to ${host} in the clear; use https:// in upstream.url.`]
}

describe('a secret for upstream', () => {
  test.each([
    'http://box.example:3000',
    'http://203.0.113.7',
    'http://172.15.0.1',
    'http://172.32.0.1',
    'http://100.63.0.1',
    'http://100.128.0.1',
    'http://192.169.0.1',
    'http://11.0.0.1',
    'http://[2001:db8::1]:3000',
    'http://[fec0::1]',
    'http://local.example',
    'http://xts.net',
    'http://10.0.0.1.example',
  ])('over %s travels in the clear', async (url) => {
    const { hostname } = new URL(url)
    expect(await warningsOf({ url, apiKey: 'k' })).toEqual(clear('upstream.apiKey', hostname))
  })

  test.each([
    'https://box.example',
    'http://127.0.0.1:8080',
    'http://localhost:8080',
    'http://[::1]:8080',
    'http://10.1.2.3',
    'http://172.16.0.1',
    'http://172.31.255.255',
    'http://192.168.1.2:3000',
    'http://169.254.1.1',
    'http://100.64.0.1',
    'http://100.127.255.255:3000',
    'http://[fd00::1]',
    'http://[fe80::1]',
    'http://box',
    'http://BOX.local',
    'http://box.home.internal',
    'http://box.tail1234.ts.net.',
  ])('over %s does not', async (url) => {
    expect(await warningsOf({ url, apiKey: 'k' })).toEqual([])
  })

  test('is named by its place, and without one there is nothing to say', async () => {
    const url = 'http://box.example'
    const headers = { 'x-tunnel': 't' }
    expect([
      await warningsOf({ url }),
      await warningsOf({ url, headers }),
      await warningsOf({ url, headers, apiKey: 'k' }),
    ]).toEqual([
      [],
      clear('upstream.headers', 'box.example'),
      clear('upstream.apiKey and upstream.headers', 'box.example'),
    ])
  })
})

describe('a gate as upstream', () => {
  const url = 'https://home.example'
  test('without a key is warned of', async () => {
    expect(await warningsOf({ kind: 'swapgate', url })).toEqual([
      'upstream is a gate, but upstream.apiKey is not set: it will refuse every request. Set it to a key that has "edge": true there.',
    ])
  })

  test('with a key, however it is written, is not', async () => {
    expect([
      await warningsOf({ kind: 'swapgate', url, apiKey: 'k' }),
      await warningsOf({ kind: 'swapgate', url, headers: { authorization: 'Bearer k' } }),
      await warningsOf({ kind: 'swapgate', url, headers: { 'X-API-Key': 'k' } }),
    ]).toEqual([[], [], []])
  })
})

const OPENS_PROMPTS =
  'key "worker" is another gate\'s, and its scope "admin" opens other people\'s prompts to whoever breaks into that gate.'

test.each([
  ['with "admin" is warned of', { edge: true, scopes: ['inference', 'admin'] }, [OPENS_PROMPTS]],
  ['without "admin" is not', { edge: true, scopes: ['inference', 'status'] }, []],
  ['that is none is not, with "admin"', { scopes: ['admin'] }, []],
])('a key of another gate %s', async (_, rights, warnings) => {
  const result = await parse({ keys: [{ id: 'worker', secret: KEY, ...rights }] })
  expect(result).toMatchObject({ ok: true, warnings })
})
