import { describe, expect, test } from 'vitest'
import { readWorkerConfig, type WorkerTexts } from '../../../adapters/cloudflare/worker-config.ts'
import { hashOf, sha256 } from '../../src/config/parse.ts'

const SECRET = 'sk-0123456789abcdefghij'
const KEY = { id: 'friend', secret: hashOf(SECRET) }
const HOW_TO_HASH = `stands in clear, but only its hash may be here. For "friend" write "sha256:" and the hex digits that  printf %s "$KEY" | sha256sum  prints, or make a new key:  npm run --silent swapgate keys new -- --id friend`

/** Reads a configuration that is written as an object or as text; `rest` are other bindings. */
function read(config: object | string, rest: Partial<WorkerTexts['texts']> = {}) {
  const CONFIG = typeof config === 'string' ? config : JSON.stringify(config)
  return readWorkerConfig({ texts: { CONFIG, ...rest }, bundled: undefined }, sha256)
}

async function messageOf(reading: ReturnType<typeof readWorkerConfig>): Promise<string> {
  const result = await reading
  return result.ok ? 'is valid' : result.message
}

describe('the configuration of a Worker', () => {
  test('comes from the secret CONFIG, or from a bundled file', async () => {
    const text = JSON.stringify({ keys: [KEY] })
    const secret = await read(text)
    const bundled = await readWorkerConfig({ texts: {}, bundled: text }, sha256)
    expect(secret).toMatchObject({ ok: true, config: { keys: [KEY] }, warnings: [] })
    expect(bundled).toEqual(secret)
  })

  test('is one of the two', async () => {
    const both = readWorkerConfig({ texts: { CONFIG: '{}' }, bundled: '{}' }, sha256)
    expect(await messageOf(both)).toBe(
      'There are two configurations: the bundled file and the secret CONFIG. Remove one of them:  npx wrangler@4 secret delete CONFIG',
    )
  })

  test('is asked for where there is none, with the way to give it', async () => {
    const none = readWorkerConfig({ texts: {}, bundled: undefined }, sha256)
    expect(await messageOf(none)).toBe(
      'The Worker has no configuration. Give it one:  npx wrangler@4 secret put CONFIG < worker-config.json  (for "wrangler dev": a line CONFIG=… in .dev.vars; see docs/tunnel.md)',
    )
  })

  test('says how to set a secret that it names', async () => {
    const config = { keys: [KEY], upstream: { apiKey: '{env:UPSTREAM_API_KEY}' } }
    expect(await messageOf(read(config))).toBe(
      [
        'The configuration in the secret CONFIG is not valid:',
        '  upstream.apiKey: the environment variable UPSTREAM_API_KEY is not set; set it, or remove this entry',
        '  Set it:  npx wrangler@4 secret put UPSTREAM_API_KEY',
      ].join('\n'),
    )
  })

  test('takes variables as elsewhere', async () => {
    const taken = await read('{}', {
      UPSTREAM_URL: 'https://box.example.com',
      API_KEYS: `friend=${KEY.secret}`,
    })
    expect(taken).toMatchObject({
      ok: true,
      config: { keys: [KEY], upstream: { url: 'https://box.example.com' } },
    })
  })

  test('has no queue, and a heartbeat that is sooner and more often than elsewhere', async () => {
    expect(await read({ keys: [KEY] })).toMatchObject({
      ok: true,
      config: { queue: false, heartbeat: { afterMs: 10_000, everyMs: 10_000 } },
    })
  })

  test('takes no body that could fill the memory of an isolate', async () => {
    expect(await read({ keys: [KEY] })).toMatchObject({
      ok: true,
      config: { body: { maxBytes: 16_777_216 } },
    })
  })

  test('goes by the heartbeat and the body that are written', async () => {
    const written = { heartbeat: { afterMs: 0 }, body: { maxBytes: 4096 } }
    expect(await read({ keys: [KEY], ...written })).toMatchObject({
      ok: true,
      config: { heartbeat: { afterMs: 0, everyMs: 10_000 }, body: { maxBytes: 4096 } },
    })
  })
})

describe('a configuration for a Worker is refused', () => {
  test('with a key in clear, whichever way it is written', async () => {
    const long = await messageOf(read({ keys: [KEY, { id: 'friend', secret: SECRET }] }))
    const short = await messageOf(read({ keys: [SECRET] }))
    const variable = await messageOf(read('{}', { API_KEYS: `friend=${SECRET}` }))
    const named = { keys: [{ id: 'friend', secret: '{env:FRIEND}' }] }
    const binding = await messageOf(read(named, { FRIEND: SECRET }))
    expect([long, short, variable, binding]).toEqual([
      `The configuration in the secret CONFIG is not valid:\n  keys[1].secret: ${HOW_TO_HASH}`,
      `The configuration in the secret CONFIG is not valid:\n  keys[0].secret: ${HOW_TO_HASH.replaceAll('friend', 'key-1')}`,
      `The environment is not valid:\n  API_KEYS, entry 1: the key ${HOW_TO_HASH}`,
      `The configuration in the secret CONFIG is not valid:\n  keys[0].secret: ${HOW_TO_HASH}`,
    ])
  })

  test('with a right that only the queue keeps', async () => {
    expect(await messageOf(read({ keys: [{ ...KEY, swap: 'use' }] }))).toBe(
      'The configuration in the secret CONFIG is not valid:\n  keys[0].swap: "use" is kept by the queue, and a Worker has none. Remove it, or what it forbids would be allowed',
    )
  })

  test('without a key', async () => {
    expect(await messageOf(read('{}'))).toContain('keys: there are none, but others could reach')
  })

  test('where it was cut, with the reason', async () => {
    const keys = Array.from({ length: 60 }, (_, i) => ({ id: `k${i}`, secret: hashOf(`${i}`) }))
    const cut = JSON.stringify({ keys }).slice(0, 5120)
    const message = await messageOf(read(cut))
    expect(message).toContain('not valid JSON')
    expect(message.split('\n').at(-1)).toBe(
      '  CONFIG has 5120 bytes, and a secret of a Worker holds at most 5 KB: it was probably cut. Bundle the file instead, see docs/tunnel.md',
    )
  })

  test.each([
    ['is no JSON but short', '{"keys":['],
    ['is long and JSON', JSON.stringify({ keys: [KEY], wrong: 'x'.repeat(6000) })],
  ])('without that reason where it %s', async (_what, text) => {
    const message = await messageOf(read(text))
    expect([message.startsWith('The configuration'), message.includes('5 KB')]).toEqual([
      true,
      false,
    ])
  })
})
