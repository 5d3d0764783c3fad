import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { configSchema, type ConfigFile } from '../../../src/config/schema.ts'
import { faultsOf, parse } from './parse.ts'

const SECRET = 'sk-0123456789abcdefghij'

test('the example configuration is valid and says what it is made of', async () => {
  const text = readFileSync(new URL('../../../config.json.example', import.meta.url), 'utf8')
  const result = await parse(text)
  expect(result).toMatchObject({ ok: true, warnings: [] })
})

test('every field can be written', async () => {
  const file: ConfigFile = {
    $schema: './config.schema.json',
    listen: { host: '::1', port: 8443 },
    publicUrl: 'https://gate.example',
    upstream: {
      kind: 'swapgate',
      url: 'https://box.example/prefix',
      apiKey: 'internal',
      configFile: '/etc/llama-swap.yaml',
      configDir: '/etc/llama-swap.d',
      askModels: false,
      headers: { 'CF-Access-Client-Id': 'a b', 'x-empty': '' },
    },
    keys: [
      {
        id: 'laptop',
        secret: `sha256:${'0'.repeat(64)}`,
        scopes: ['inference', 'status', 'admin'],
        models: ['gpt-*'],
        expires: '2027-01-01T00:00:00Z',
        disabled: true,
        swap: 'use',
        weight: 0.5,
        limits: {
          requestsPerMinute: 30,
          burst: 5,
          tokensPerMinute: 50_000,
          tokensPerDay: 1_000_000,
          concurrent: 2,
          waiting: 3,
          maxOutputTokens: 4096,
        },
        edge: true,
      },
    ],
    limits: {
      requestsPerMinute: null,
      burst: 7,
      tokensPerMinute: null,
      tokensPerDay: 2_000_000,
      concurrent: 8,
      waiting: 0,
      maxOutputTokens: null,
      timeZone: 'Europe/Berlin',
    },
    queue: {
      slotsPerModel: 2,
      slots: { 'org/model:Q4': 1 },
      maxWaiting: 0,
      maxWaitMs: 1,
      maxModelWaitMs: 0,
      minResidencyMs: 0,
      idleMs: 0,
      quantumTokens: 0,
    },
    usage: { file: null, keepDays: 1 },
    heartbeat: { afterMs: 0, everyMs: 1 },
    timeouts: {
      upstreamHeadersMs: 0,
      upstreamSilenceMs: 0,
      drainMs: 0,
      requestHeadersMs: 1000,
      requestBodyMs: 1000,
    },
    trustedProxies: [
      { from: ['127.0.0.1', '::1', '10.0.0.0/8', 'fc00::/7'], kind: 'x-forwarded-for', hops: 2 },
    ],
    body: { maxBytes: 1024 },
    contexts: { 'org/model:Q4': 32_768 },
    opencode: { wellKnown: true },
    cors: { origins: ['https://chat.example', '*'] },
    log: { level: 'silent', format: 'pretty' },
  }
  const { $schema: _schema, keys: written, ...config } = file
  const keys = written?.map((key) =>
    typeof key === 'string'
      ? key
      : { ...key, limits: { ...key.limits, timeZone: 'Europe/Berlin' } },
  )
  const result = await parse(file)
  expect(result.ok && result.config).toEqual({ ...config, keys })
})

test('every section stands in the example, in the order of the schema', () => {
  const text = readFileSync(new URL('../../../config.json.example', import.meta.url), 'utf8')
  const written: Record<string, unknown> = JSON.parse(text)
  expect(Object.keys(written)).toEqual(Object.keys(configSchema.shape))
})

test('the queue can be turned off', async () => {
  const result = await parse({ queue: false })
  expect(result.ok && result.config.queue).toBe(false)
})

describe('a value of the right type may still be wrong', () => {
  const URL_FAULT =
    'must be an http:// or https:// URL without user, query or fragment, such as http://127.0.0.1:8080'
  const ORIGIN_FAULT = 'must be an origin such as "https://chat.example.com", or "*"'
  const TIME_FAULT = 'must be a time such as 2027-01-01T00:00:00Z'
  const TEXT_FAULT = 'must be printable ASCII without spaces and commas'

  test.each<[string, object, string]>([
    ['a URL without scheme', { upstream: { url: '127.0.0.1:8080' } }, `upstream.url: ${URL_FAULT}`],
    ['another scheme', { upstream: { url: 'ftp://box' } }, `upstream.url: ${URL_FAULT}`],
    ['a URL that does not parse', { upstream: { url: 'http://' } }, `upstream.url: ${URL_FAULT}`],
    ['a user', { upstream: { url: 'http://a:b@box' } }, `upstream.url: ${URL_FAULT}`],
    ['a query', { publicUrl: 'http://box?a' }, `publicUrl: ${URL_FAULT}`],
    ['a fragment', { publicUrl: 'http://box#a' }, `publicUrl: ${URL_FAULT}`],
    [
      'a path in an origin',
      { cors: { origins: ['https://a.b/c'] } },
      `cors.origins[0]: ${ORIGIN_FAULT}`,
    ],
    [
      'a slash in an origin',
      { cors: { origins: ['https://a.b/'] } },
      `cors.origins[0]: ${ORIGIN_FAULT}`,
    ],
    ['a null origin', { cors: { origins: ['null'] } }, `cors.origins[0]: ${ORIGIN_FAULT}`],
    ['a blank in a secret', { keys: ['sk 1'] }, `keys[0]: ${TEXT_FAULT}`],
    [
      'a comma in a secret',
      { keys: [{ id: 'a', secret: 'sk,1' }] },
      `keys[0].secret: ${TEXT_FAULT}`,
    ],
    ['an empty secret', { keys: [''] }, `keys[0]: ${TEXT_FAULT}`],
    ['a letter beyond ASCII in a secret', { keys: ['schlüssel'] }, `keys[0]: ${TEXT_FAULT}`],
    [
      'a blank in the upstream key',
      { upstream: { apiKey: 'a b' } },
      `upstream.apiKey: ${TEXT_FAULT}`,
    ],
    [
      'half a hash',
      { keys: ['sha256:abc'] },
      'keys[0]: must be "sha256:" and 64 lower-case hex digits',
    ],
    [
      'a hash in capitals',
      { keys: [{ id: 'a', secret: `sha256:${'A'.repeat(64)}` }] },
      'keys[0].secret: must be "sha256:" and 64 lower-case hex digits',
    ],
    [
      'a blank in an id',
      { keys: [{ id: 'my laptop', secret: SECRET }] },
      'keys[0].id: must be 1 to 64 letters, digits, ".", "_" or "-"',
    ],
    [
      'a day',
      { keys: [{ id: 'a', secret: SECRET, expires: '2027-01-01' }] },
      `keys[0].expires: ${TIME_FAULT}`,
    ],
    [
      'a time without zone',
      { keys: [{ id: 'a', secret: SECRET, expires: '2027-01-01T00:00:00' }] },
      `keys[0].expires: ${TIME_FAULT}`,
    ],
    [
      'a day that does not exist',
      { keys: [{ id: 'a', secret: SECRET, expires: '2027-02-30T00:00:00Z' }] },
      `keys[0].expires: ${TIME_FAULT}`,
    ],
    [
      'a header name with a colon',
      { upstream: { headers: { 'x:y': 'z' } } },
      'upstream.headers.x:y: its name must be a header name',
    ],
    [
      'a time zone that does not exist',
      { limits: { timeZone: 'Europe/Atlantis' } },
      'limits.timeZone: must be a time zone such as "Europe/Berlin" or "UTC"',
    ],
    [
      'an empty time zone',
      { limits: { timeZone: '' } },
      'limits.timeZone: must be a time zone such as "Europe/Berlin" or "UTC"',
    ],
    [
      'a header value with a line break',
      { upstream: { headers: { x: 'a\nb' } } },
      'upstream.headers.x: must be printable ASCII',
    ],
  ])('%s', async (_what, file, fault) => {
    expect(await faultsOf(file)).toEqual([fault])
  })

  test.each<[string, object, string]>([
    ['a port beyond the range', { listen: { port: 65_536 } }, 'listen.port'],
    ['a negative port', { listen: { port: -1 } }, 'listen.port'],
    ['an empty host', { listen: { host: '' } }, 'listen.host'],
    ['no scope', { keys: [{ id: 'a', secret: SECRET, scopes: [] }] }, 'keys[0].scopes'],
    ['an empty model', { keys: [{ id: 'a', secret: SECRET, models: [''] }] }, 'keys[0].models[0]'],
    [
      'a timer longer than runtimes have',
      { timeouts: { drainMs: 2_147_483_648 } },
      'timeouts.drainMs',
    ],
    ['a negative timer', { heartbeat: { afterMs: -1 } }, 'heartbeat.afterMs'],
    ['a heartbeat without pause', { heartbeat: { everyMs: 0 } }, 'heartbeat.everyMs'],
    ['a body that holds nothing', { body: { maxBytes: 1023 } }, 'body.maxBytes'],
    ['no request at all', { limits: { requestsPerMinute: 0 } }, 'limits.requestsPerMinute'],
    ['a negative limit', { limits: { tokensPerDay: -1 } }, 'limits.tokensPerDay'],
    ['half a token', { limits: { tokensPerMinute: 0.5 } }, 'limits.tokensPerMinute'],
    ['more tokens than any box has', { limits: { tokensPerDay: 1e13 } }, 'limits.tokensPerDay'],
    ['no burst', { limits: { burst: 0 } }, 'limits.burst'],
    ['a burst without limit', { limits: { burst: null } }, 'limits.burst'],
    ['a number of waiting requests without limit', { limits: { waiting: null } }, 'limits.waiting'],
    [
      'a key that may run nothing',
      { keys: [{ id: 'a', secret: SECRET, limits: { concurrent: 0 } }] },
      'keys[0].limits.concurrent',
    ],
    ['a weight of nothing', { keys: [{ id: 'a', secret: SECRET, weight: 0 }] }, 'keys[0].weight'],
    ['a negative weight', { keys: [{ id: 'a', secret: SECRET, weight: -1 }] }, 'keys[0].weight'],
    ['too much weight', { keys: [{ id: 'a', secret: SECRET, weight: 101 }] }, 'keys[0].weight'],
    ['a model without slots', { queue: { slots: { a: 0 } } }, 'queue.slots.a'],
    ['models without slots', { queue: { slotsPerModel: 0 } }, 'queue.slotsPerModel'],
    ['no time to wait', { queue: { maxWaitMs: 0 } }, 'queue.maxWaitMs'],
    ['a time to wait without end', { queue: { maxWaitMs: null } }, 'queue.maxWaitMs'],
    ['a longer wait than timers have', { queue: { maxWaitMs: 2_147_483_648 } }, 'queue.maxWaitMs'],
    ['a negative idle time', { queue: { idleMs: -1 } }, 'queue.idleMs'],
    ['usage that is not kept a day', { usage: { keepDays: 0 } }, 'usage.keepDays'],
    ['usage without a file name', { usage: { file: '' } }, 'usage.file'],
  ])('%s', async (_what, file, place) => {
    const faults = await faultsOf(file)
    expect(faults.map((fault) => fault.split(': ')[0])).toEqual([place])
  })
})

function twoDigits(max: number): fc.Arbitrary<string> {
  return fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'))
}

test('a time that is accepted is one that can be compared: no key lives for ever by accident', async () => {
  const time = fc
    .tuple(
      fc.integer({ min: 0, max: 9999 }).map((year) => `${String(year).padStart(4, '0')}-`),
      twoDigits(13).map((month) => `${month}-`),
      twoDigits(32).map((day) => `${day}T`),
      twoDigits(24).map((hour) => `${hour}:`),
      twoDigits(60).map((minute) => `${minute}:`),
      twoDigits(60),
      fc.constantFrom('', '.1', '.123456789012345678901'),
      fc.constantFrom('Z', '+02:00', '-23:59', '+24:00', '+0200', ''),
    )
    .map((parts) => parts.join(''))
  const accepted: string[] = []
  await fc.assert(
    fc.asyncProperty(time, async (expires) => {
      const result = await parse({ keys: [{ id: 'a', secret: SECRET, expires }] })
      if (!result.ok) return
      accepted.push(expires)
      expect(Number.isFinite(Date.parse(expires))).toBe(true)
    }),
    { numRuns: 300 },
  )
  expect(accepted.length).toBeGreaterThan(10)
})
