import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ConfigFile } from '../../../src/config/schema.ts'
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
      url: 'https://box.example/prefix',
      apiKey: 'internal',
      configFile: '/etc/llama-swap.yaml',
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
      },
    ],
    heartbeat: { afterMs: 0, everyMs: 1 },
    timeouts: { upstreamHeadersMs: 0, upstreamSilenceMs: 0, drainMs: 0 },
    body: { maxBytes: 1024 },
    cors: { origins: ['https://chat.example', '*'] },
    log: { level: 'silent', format: 'pretty' },
  }
  const { $schema: _schema, ...config } = file
  expect(await parse(file)).toMatchObject({ ok: true, config })
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
