import { describe, expect, test } from 'vitest'
import { explainIssues } from '../../../src/config/explain-issues.ts'
import { configSchema } from '../../../src/config/schema.ts'
import { showPath } from '../../../src/config/substitute.ts'

function explained(raw: unknown): string[] {
  const parsed = configSchema.safeParse(raw)
  const problems = parsed.success ? [] : explainIssues(parsed.error.issues, raw)
  return problems.map(({ path, message }) => `${showPath(path)}: ${message}`)
}

const KEY = { id: 'a', secret: 'sk-1' }

describe('an unknown field', () => {
  test.each<[unknown, string]>([
    [{ lisen: {} }, 'lisen: unknown field. Did you mean "listen"?'],
    [{ publicURL: 'x' }, 'publicURL: unknown field. Did you mean "publicUrl"?'],
    [{ listen: { prot: 1 } }, 'listen.prot: unknown field. Did you mean "port"?'],
    [{ upstream: { api_key: 'x' } }, 'upstream.api_key: unknown field. Did you mean "apiKey"?'],
    [{ keys: [{ ...KEY, modles: [] }] }, 'keys[0].modles: unknown field. Did you mean "models"?'],
    [
      { keys: ['sk-2', { ...KEY, scope: [] }] },
      'keys[1].scope: unknown field. Did you mean "scopes"?',
    ],
    [{ heartbeat: { afterMS: 1 } }, 'heartbeat.afterMS: unknown field. Did you mean "afterMs"?'],
    [{ timeouts: { drainMss: 1 } }, 'timeouts.drainMss: unknown field. Did you mean "drainMs"?'],
    [{ body: { maxByte: 1 } }, 'body.maxByte: unknown field. Did you mean "maxBytes"?'],
    [{ cors: { origin: [] } }, 'cors.origin: unknown field. Did you mean "origins"?'],
    [
      { limits: { requestPerMinute: 1 } },
      'limits.requestPerMinute: unknown field. Did you mean "requestsPerMinute"?',
    ],
    [{ limits: { timezone: 'UTC' } }, 'limits.timezone: unknown field. Did you mean "timeZone"?'],
    [
      { keys: [{ ...KEY, limits: { tokensPerDays: 1 } }] },
      'keys[0].limits.tokensPerDays: unknown field. Did you mean "tokensPerDay"?',
    ],
    [{ keys: [{ ...KEY, wieght: 1 }] }, 'keys[0].wieght: unknown field. Did you mean "weight"?'],
    [{ queue: { maxWaitMS: 1 } }, 'queue.maxWaitMS: unknown field. Did you mean "maxWaitMs"?'],
    [{ queue: { slot: {} } }, 'queue.slot: unknown field. Did you mean "slots"?'],
    [{ usage: { keepDay: 1 } }, 'usage.keepDay: unknown field. Did you mean "keepDays"?'],
    [{ log: { levle: 'x' } }, 'log.levle: unknown field. Did you mean "level"?'],
  ])('%j is told with the one that was meant', (raw, message) => {
    expect(explained(raw)).toEqual([message])
  })

  test.each<[unknown, string]>([
    [{ body: { encoding: 1 } }, 'body.encoding: unknown field. Known here: maxBytes'],
    [{ listen: { tls: 1 } }, 'listen.tls: unknown field. Known here: host, port'],
    [
      { keys: [{ ...KEY, limits: { timeZone: 'UTC' } }] },
      'keys[0].limits.timeZone: unknown field. Known here: requestsPerMinute, burst, tokensPerMinute, tokensPerDay, concurrent, waiting, maxOutputTokens',
    ],
    [
      { keys: [{ ...KEY, owner: 'me' }] },
      'keys[0].owner: unknown field. Known here: id, secret, scopes, models, expires, disabled, swap, weight, limits, edge',
    ],
  ])('%j that resembles nothing is told with what is known there', (raw, message) => {
    expect(explained(raw)).toEqual([message])
  })

  test.each(['constructor', '__proto__', 'toString'])('may be called %s', (name) => {
    const raw: unknown = JSON.parse(`{"listen":{"${name}":1},"${name}":{"x":1}}`)
    expect(explained(raw)).toEqual([
      `listen.${name}: unknown field. Known here: host, port`,
      expect.stringMatching(`^${name}: unknown field\\. `),
    ])
  })

  test.each<[unknown, string]>([
    [{ port: 3000 }, 'port: unknown field. Did you mean "listen.port"?'],
    [{ host: '::1' }, 'host: unknown field. Did you mean "listen.host"?'],
    [{ apiKeys: [] }, 'apiKeys: unknown field. Did you mean "keys"?'],
    [{ upstreamUrl: 'x' }, 'upstreamUrl: unknown field. Did you mean "upstream.url"?'],
    [{ keys: [{ ...KEY, key: 'x' }] }, 'keys[0].key: unknown field. Did you mean "secret"?'],
  ])('%j of a newcomer is told with where it belongs', (raw, message) => {
    expect(explained(raw)).toEqual([message])
  })

  test('does not hide the others', () => {
    expect(explained({ lisen: 1, listen: { prot: 1, hots: 2 } })).toEqual([
      'listen.prot: unknown field. Did you mean "port"?',
      'listen.hots: unknown field. Did you mean "host"?',
      'lisen: unknown field. Did you mean "listen"?',
    ])
  })
})

describe('a value that is none of the allowed ones', () => {
  const LEVELS = '"debug", "info", "warn", "error", "silent"'
  const SCOPES = '"inference", "status", "admin"'

  test.each<[unknown, string]>([
    [{ log: { level: 'inof' } }, `log.level: must be one of ${LEVELS}. Did you mean "info"?`],
    [{ log: { level: 'INFO' } }, `log.level: must be one of ${LEVELS}. Did you mean "info"?`],
    [{ log: { level: 'loud' } }, `log.level: must be one of ${LEVELS}`],
    [{ log: { level: 7 } }, `log.level: must be one of ${LEVELS}`],
    [
      { log: { format: 'jsno' } },
      'log.format: must be one of "auto", "pretty", "json". Did you mean "json"?',
    ],
    [
      { keys: [{ ...KEY, scopes: ['status', 'inferance'] }] },
      `keys[0].scopes[1]: must be one of ${SCOPES}. Did you mean "inference"?`,
    ],
    [
      { keys: [{ ...KEY, swap: 'evcit' }] },
      'keys[0].swap: must be one of "use", "load", "evict". Did you mean "evict"?',
    ],
    [{ keys: [{ ...KEY, swap: true }] }, 'keys[0].swap: must be one of "use", "load", "evict"'],
  ])('%j', (raw, message) => {
    expect(explained(raw)).toEqual([message])
  })
})

describe('a value of the wrong type', () => {
  test.each<[unknown, string]>([
    [{ listen: '0.0.0.0:3000' }, 'listen: must be an object: { … }, but is text in quotes'],
    [{ listen: null }, 'listen: must be an object: { … }, but is null'],
    [{ listen: [] }, 'listen: must be an object: { … }, but is a list'],
    [{ listen: { port: '3000' } }, 'listen.port: must be a number, but is text in quotes'],
    [{ listen: { port: 1.5 } }, 'listen.port: must be a whole number, but is a number'],
    [{ listen: { host: 7 } }, 'listen.host: must be text in quotes, but is a number'],
    [{ keys: 'sk-1' }, 'keys: must be a list: [ … ], but is text in quotes'],
    [{ keys: { a: 'sk-1' } }, 'keys: must be a list: [ … ], but is an object: { … }'],
    [{ keys: [7] }, 'keys[0]: must be an object: { … }, but is a number'],
    [{ keys: [{ id: 'a' }] }, 'keys[0].secret: is missing; it must be text in quotes'],
    [{ keys: [{ secret: 'sk-1' }] }, 'keys[0].id: is missing; it must be text in quotes'],
    [
      { keys: [{ ...KEY, disabled: 'yes' }] },
      'keys[0].disabled: must be true or false, but is text in quotes',
    ],
    [
      { keys: [{ ...KEY, models: 'gpt' }] },
      'keys[0].models: must be a list: [ … ], but is text in quotes',
    ],
    [{ upstream: { headers: ['a'] } }, 'upstream.headers: must be an object: { … }, but is a list'],
    [
      { upstream: { headers: { 'x-n': 7 } } },
      'upstream.headers.x-n: must be text in quotes, but is a number',
    ],
    [{ queue: true }, 'queue: must be false or an object: { … }, but is true'],
    [{ queue: 'off' }, 'queue: must be false or an object: { … }, but is text in quotes'],
    [{ queue: null }, 'queue: must be false or an object: { … }, but is null'],
    [{ queue: [] }, 'queue: must be false or an object: { … }, but is a list'],
    [
      { queue: { slotsPerModel: '4' } },
      'queue.slotsPerModel: must be a number, but is text in quotes',
    ],
    [{ queue: { slots: { a: 'x' } } }, 'queue.slots.a: must be a number, but is text in quotes'],
    [{ queue: { slots: 4 } }, 'queue.slots: must be an object: { … }, but is a number'],
    [{ queue: { idleMs: 1.5 } }, 'queue.idleMs: must be a whole number, but is a number'],
    [{ limits: null }, 'limits: must be an object: { … }, but is null'],
    [{ limits: { waiting: null } }, 'limits.waiting: must be a number, but is null'],
    [
      { limits: { requestsPerMinute: '60' } },
      'limits.requestsPerMinute: must be a number, but is text in quotes',
    ],
    [{ limits: { timeZone: 1 } }, 'limits.timeZone: must be text in quotes, but is a number'],
    [
      { keys: [{ ...KEY, limits: { maxOutputTokens: '8k' } }] },
      'keys[0].limits.maxOutputTokens: must be a number, but is text in quotes',
    ],
    [
      { keys: [{ ...KEY, weight: '2' }] },
      'keys[0].weight: must be a number, but is text in quotes',
    ],
    [{ usage: false }, 'usage: must be an object: { … }, but is false'],
    [{ usage: { file: false } }, 'usage.file: must be text in quotes, but is false'],
    [{ publicUrl: false }, 'publicUrl: must be text in quotes, but is false'],
  ])('%j', (raw, message) => {
    expect(explained(raw)).toEqual([message])
  })
})

describe('a value out of its range', () => {
  test.each<[unknown, string]>([
    [{ listen: { port: 65_536 } }, 'listen.port: must be at most 65535'],
    [{ listen: { port: -1 } }, 'listen.port: must be at least 0'],
    [{ body: { maxBytes: 1 } }, 'body.maxBytes: must be at least 1024'],
    [{ listen: { host: '' } }, 'listen.host: must not be empty'],
    [{ keys: [{ ...KEY, scopes: [] }] }, 'keys[0].scopes: must not be empty'],
    [
      { publicUrl: 'gate.example' },
      'publicUrl: must be an http:// or https:// URL without user, query or fragment, such as http://127.0.0.1:8080',
    ],
  ])('%j', (raw, message) => {
    expect(explained(raw)).toEqual([message])
  })
})

test('a valid configuration needs no explanation', () => {
  expect(explained({})).toEqual([])
})
