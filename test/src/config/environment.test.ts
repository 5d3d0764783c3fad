import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withEnvironment } from '../../../src/config/environment.ts'
import type { ConfigProblem } from '../../../src/config/substitute.ts'

type Laid = { config: Record<string, unknown>; problems: ConfigProblem[] }

function laid(file: Record<string, unknown>, env: Record<string, string | undefined>): Laid {
  const problems: ConfigProblem[] = []
  return { config: withEnvironment(file, env, problems), problems }
}

function keysFrom(list: string): unknown {
  return laid({}, { API_KEYS: list }).config['keys']
}

test('each variable sets its place', () => {
  expect(
    laid(
      {},
      {
        HOST: '0.0.0.0',
        PORT: '8000',
        PUBLIC_URL: 'https://gate.example',
        UPSTREAM_URL: 'http://box:8080',
        UPSTREAM_API_KEY: 'internal',
        LOG_LEVEL: 'debug',
      },
    ),
  ).toEqual({
    config: {
      listen: { host: '0.0.0.0', port: 8000 },
      publicUrl: 'https://gate.example',
      upstream: { url: 'http://box:8080', apiKey: 'internal' },
      log: { level: 'debug' },
    },
    problems: [],
  })
})

test('a variable wins over the file and leaves its neighbours', () => {
  const file = { listen: { host: '::1', port: 1 }, log: { level: 'warn', format: 'json' }, x: 1 }
  expect(laid(file, { PORT: '2', LOG_LEVEL: 'info' }).config).toEqual({
    listen: { host: '::1', port: 2 },
    log: { level: 'info', format: 'json' },
    x: 1,
  })
})

test('an empty variable, an unset one and a foreign one change nothing', () => {
  const file = { listen: { port: 1 } }
  expect(laid(file, { PORT: '', HOST: undefined, HOME: '/root', API_KEYS: '' })).toEqual({
    config: file,
    problems: [],
  })
})

test('the file itself is left as it was', () => {
  const file = { listen: { port: 1 }, keys: ['sk-1'] }
  laid(file, { PORT: '2', API_KEYS: 'sk-2' })
  expect(file).toEqual({ listen: { port: 1 }, keys: ['sk-1'] })
})

test.each(['abc', '30 00', '-1', '1.5', '0x10'])(
  'a PORT of %j stays text, for the schema to refuse',
  (port) => {
    expect(laid({}, { PORT: port }).config).toEqual({ listen: { port } })
  },
)

describe('a file with a section of the wrong kind', () => {
  test.each([['127.0.0.1:3000'], [null], [['x']], [7]])(
    'keeps %j, so that the fault is told and not covered up',
    (listen) => {
      expect(laid({ listen }, { HOST: '::1' }).config).toEqual({ listen })
    },
  )

  test.each([['sk-1'], [null], [{ laptop: 'sk-1' }]])('keeps keys that are %j', (keys) => {
    expect(laid({ keys }, { API_KEYS: 'sk-2' }).config).toEqual({ keys })
  })
})

describe('API_KEYS', () => {
  test('is a list of secrets, numbered for the log', () => {
    expect(keysFrom('sk-1,sk-2')).toEqual([
      { id: 'env-1', secret: 'sk-1' },
      { id: 'env-2', secret: 'sk-2' },
    ])
  })

  test('names a key by id=secret', () => {
    expect(keysFrom('laptop=sk-1,sk-2,my.phone_2-b=sk-3')).toEqual([
      { id: 'laptop', secret: 'sk-1' },
      { id: 'env-2', secret: 'sk-2' },
      { id: 'my.phone_2-b', secret: 'sk-3' },
    ])
  })

  test('may hold blanks and empty places between the keys', () => {
    expect(keysFrom(' sk-1 ,, sk-2,')).toEqual([
      { id: 'env-1', secret: 'sk-1' },
      { id: 'env-2', secret: 'sk-2' },
    ])
  })

  test.each([
    ['one = at its end', 'c2VjcmV0c2VjcmV0c2U='],
    ['two = at its end', 'c2VjcmV0c2VjcmV0cw=='],
    ['a = at its start', '=sk-1'],
    ['signs that no id has, before a =', 'a/b+c=d'],
  ])('takes a secret with %s as a secret', (_what, secret) => {
    expect(keysFrom(secret)).toEqual([{ id: 'env-1', secret }])
  })

  test('keeps the = at the end of a secret that has an id', () => {
    expect(keysFrom('laptop=c2VjcmV0cw==')).toEqual([{ id: 'laptop', secret: 'c2VjcmV0cw==' }])
  })

  test('may hold hashes', () => {
    const hash = `sha256:${'0'.repeat(64)}`
    expect(keysFrom(`laptop=${hash}`)).toEqual([{ id: 'laptop', secret: hash }])
  })

  test('is added to the keys of the file', () => {
    expect(laid({ keys: ['sk-file'] }, { API_KEYS: 'sk-env' }).config).toEqual({
      keys: ['sk-file', { id: 'env-1', secret: 'sk-env' }],
    })
  })

  test.each([' ', ',', ' , ,'])('of %j adds nothing', (list) => {
    expect(laid({ keys: ['sk-1'] }, { API_KEYS: list }).config).toEqual({ keys: ['sk-1'] })
  })

  test('with a blank inside a key is a problem that does not show the key', () => {
    expect(laid({}, { API_KEYS: 'sk-1,sk-2 sk-3\nsk-4' }).problems).toEqual([
      { path: ['keys', 1], message: 'holds a space; separate keys by commas' },
    ])
  })

  test('gives back every secret that has no comma, with and without an id', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/)
    const base64 = fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((bytes) => Buffer.from(bytes).toString('base64'))
    const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
    fc.assert(
      fc.property(id, fc.oneof(base64, base64url), (name, secret) => {
        expect(keysFrom(`${name}=${secret},${secret}`)).toEqual([
          { id: name, secret },
          { id: 'env-2', secret },
        ])
      }),
    )
  })
})
