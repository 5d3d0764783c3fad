import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseConfig, withoutQueue } from '../../../src/config/parse-config.ts'
import type { GateConfig } from '../../../src/config/schema.ts'
import { showPath } from '../../../src/config/substitute.ts'
import { limitsOf } from '../limit/limits.ts'
import { faultsOf, hashOf, parse } from './parse.ts'

const SECRET = 'sk-0123456789abcdefghij'
const OTHER = 'sk-abcdefghij0123456789'
const NO_KEYS =
  'no keys are configured: every request will be refused. Add one to "keys" or set API_KEYS.'

const DEFAULTS: GateConfig = {
  listen: { host: '127.0.0.1', port: 3000 },
  upstream: {
    kind: 'llama-swap',
    url: 'http://127.0.0.1:8080',
    configFile: './config.yaml',
    askModels: true,
    headers: {},
  },
  keys: [],
  limits: { timeZone: 'UTC' },
  queue: {
    slotsPerModel: 4,
    slots: {},
    maxWaiting: 256,
    maxWaitMs: 600_000,
    maxModelWaitMs: 60_000,
    minResidencyMs: 45_000,
    idleMs: 2000,
    quantumTokens: 8000,
  },
  usage: { file: './data/usage.sqlite', keepDays: 90 },
  heartbeat: { afterMs: 30_000, everyMs: 15_000 },
  timeouts: {
    upstreamHeadersMs: 1_800_000,
    upstreamSilenceMs: 1_800_000,
    drainMs: 30_000,
    requestHeadersMs: 30_000,
    requestBodyMs: 300_000,
  },
  trustedProxies: [],
  body: { maxBytes: 67_108_864 },
  contexts: {},
  opencode: { wellKnown: false },
  cors: { origins: [] },
  log: { level: 'info', format: 'auto' },
}

const BARE_KEY = {
  scopes: ['inference'],
  models: ['*'],
  disabled: false,
  swap: 'evict',
  weight: 1,
  limits: limitsOf({ requestsPerMinute: 240, burst: 40, waiting: 32 }),
  edge: false,
}

describe('without any file', () => {
  test('everything has its default, and the missing key is told', async () => {
    expect(await parse(undefined)).toEqual({ ok: true, config: DEFAULTS, warnings: [NO_KEYS] })
  })

  test('API_KEYS alone makes a gate that can be used', async () => {
    expect(await parse(undefined, { env: { API_KEYS: SECRET } })).toEqual({
      ok: true,
      config: { ...DEFAULTS, keys: [{ id: 'env-1', secret: hashOf(SECRET), ...BARE_KEY }] },
      warnings: [],
    })
  })

  test('a fault is told of the environment', async () => {
    expect(await parse(undefined, { env: { LOG_LEVEL: 'loud', PORT: 'x' } })).toEqual({
      ok: false,
      message:
        'The environment is not valid:\n' +
        '  PORT: must be a whole number from 0 to 65535\n' +
        '  LOG_LEVEL: must be one of "debug", "info", "warn", "error", "silent"',
    })
  })
})

test('an empty file and empty sections are the defaults, too', async () => {
  const file = {
    listen: {},
    upstream: {},
    limits: {},
    queue: {},
    usage: {},
    heartbeat: {},
    timeouts: {},
    body: {},
    cors: {},
    log: {},
  }
  expect([await parse({}), await parse(file)]).toEqual([
    { ok: true, config: DEFAULTS, warnings: [NO_KEYS] },
    { ok: true, config: DEFAULTS, warnings: [NO_KEYS] },
  ])
})

test('the environment wins over the file', async () => {
  const file = {
    listen: { host: '::1', port: 1 },
    publicUrl: 'http://file.example',
    upstream: { url: 'http://file:1', apiKey: 'file', headers: { 'x-a': 'b' } },
    keys: [SECRET],
    log: { level: 'warn', format: 'json' },
  }
  const env = {
    HOST: 'localhost',
    PORT: '2',
    PUBLIC_URL: 'http://env.example',
    UPSTREAM_URL: 'http://env:2',
    UPSTREAM_API_KEY: 'env',
    LOG_LEVEL: 'error',
    API_KEYS: `phone=${OTHER}`,
  }
  expect(await parse(file, { env })).toEqual({
    ok: true,
    config: {
      ...DEFAULTS,
      listen: { host: 'localhost', port: 2 },
      publicUrl: 'http://env.example',
      upstream: {
        kind: 'llama-swap',
        url: 'http://env:2',
        apiKey: 'env',
        configFile: './config.yaml',
        askModels: true,
        headers: { 'x-a': 'b' },
      },
      keys: [
        { id: 'key-1', secret: hashOf(SECRET), ...BARE_KEY },
        { id: 'phone', secret: hashOf(OTHER), ...BARE_KEY },
      ],
      log: { level: 'error', format: 'json' },
    },
    warnings: [],
  })
})

test('{env:…} and {file:…} fill in values, before the environment wins', async () => {
  const file = {
    listen: { port: '{env:GATE_PORT}' },
    upstream: { apiKey: '{file:./upstream-key}' },
    keys: ['{env:LAPTOP_KEY}', { id: 'phone', secret: '{file:./phone-key}' }],
  }
  const result = await parse(file, {
    env: { GATE_PORT: '4000', LAPTOP_KEY: SECRET, PORT: '5000' },
    readFile: (path) => (path === './phone-key' ? `${OTHER}\n` : 'internal\n'),
  })
  expect(result).toEqual({
    ok: true,
    config: {
      ...DEFAULTS,
      listen: { host: '127.0.0.1', port: 5000 },
      upstream: { ...DEFAULTS.upstream, apiKey: 'internal' },
      keys: [
        { id: 'key-1', secret: hashOf(SECRET), ...BARE_KEY },
        { id: 'phone', secret: hashOf(OTHER), ...BARE_KEY },
      ],
    },
    warnings: [],
  })
})

describe('a fault of the environment', () => {
  test.each<[NodeJS.ProcessEnv, string]>([
    [{ PORT: 'x' }, 'PORT: must be a whole number from 0 to 65535'],
    [{ PORT: '70000' }, 'PORT: must be a whole number from 0 to 65535'],
    [
      { UPSTREAM_URL: 'gpu-box:8080' },
      'UPSTREAM_URL: must be an http:// or https:// URL without user, query or fragment, such as http://127.0.0.1:8080',
    ],
    [
      { UPSTREAM_URL: 'http://127.0.0.1:3000' },
      "UPSTREAM_URL: is the gate's own address (port 3000); it must be llama-swap's, usually http://127.0.0.1:8080",
    ],
    [
      { LOG_LEVEL: 'inof' },
      'LOG_LEVEL: must be one of "debug", "info", "warn", "error", "silent". Did you mean "info"?',
    ],
    [
      { API_KEYS: `a=${SECRET},b=x y` },
      'API_KEYS, entry 2: the key must be printable ASCII without spaces and commas',
    ],
    [{ API_KEYS: `a=${SECRET},x y` }, 'API_KEYS, entry 2: holds a space; separate keys by commas'],
    [
      { API_KEYS: `a=${SECRET},a=${OTHER}` },
      'API_KEYS, entry 2: the id "a" is also the id of API_KEYS, entry 1; ids must differ',
    ],
    [
      { API_KEYS: `a=${SECRET},b=${SECRET}` },
      'API_KEYS, entry 2: the key is the same as that of "a"; each key needs its own',
    ],
  ])('%j is told under the name of the variable', async (env, fault) => {
    const message = `The environment is not valid:\n  ${fault}`
    expect([
      await parse(undefined, { env }),
      await parse({ listen: {}, cors: {} }, { env }),
    ]).toEqual([
      { ok: false, message },
      { ok: false, message },
    ])
  })

  test('beside one of the file names both', async () => {
    const file = { listen: { host: 7 }, keys: ['sk 1', SECRET] }
    expect(await parse(file, { env: { PORT: '70000', API_KEYS: 'a=x y' } })).toEqual({
      ok: false,
      message:
        'The configuration in ./config.json and the environment are not valid:\n' +
        '  listen.host: must be text in quotes, but is a number\n' +
        '  PORT: must be a whole number from 0 to 65535\n' +
        '  keys[0]: must be printable ASCII without spaces and commas\n' +
        '  API_KEYS, entry 1: the key must be printable ASCII without spaces and commas',
    })
  })

  test('is not blamed for what the file cannot fill in, though it sets the same place', async () => {
    expect(await faultsOf({ listen: { port: '{env:A}' } }, { env: { PORT: '4000' } })).toEqual([
      'listen.port: the environment variable A is not set; set it, or remove this entry',
    ])
  })

  test('is not blamed for what the file says where the variable is unset or empty', async () => {
    expect(await parse({ listen: { port: 'x' } }, { env: { PORT: '' } })).toMatchObject({
      message: expect.stringMatching(
        /^The configuration in \.\/config\.json is not.*\n {2}listen\.port: /,
      ),
    })
  })
})

function noSuchFile(): string {
  throw new Error('ENOENT: no such file')
}

test('all that is not there is told at once, with its place', async () => {
  const file = {
    upstream: { apiKey: '{env:A}' },
    keys: ['{env:B}', { id: 'x', secret: '{file:c}' }],
  }
  expect(await parse(file, { readFile: noSuchFile })).toEqual({
    ok: false,
    message:
      'The configuration in ./config.json is not valid:\n' +
      '  upstream.apiKey: the environment variable A is not set; set it, or remove this entry\n' +
      '  keys[0]: the environment variable B is not set; set it, or remove this entry\n' +
      '  keys[1].secret: the file c cannot be read: ENOENT: no such file',
  })
})

describe('keys', () => {
  test('are hashed, and a hash stays as it is', async () => {
    const result = await parse({ keys: [SECRET, hashOf(OTHER)] })
    expect(result.ok && result.config.keys.map(({ id, secret }) => [id, secret])).toEqual([
      ['key-1', hashOf(SECRET)],
      ['key-2', hashOf(OTHER)],
    ])
  })

  test('in the long form keep what they say and get the rest', async () => {
    const result = await parse({ keys: [{ id: 'a', secret: SECRET, models: [], disabled: true }] })
    expect(result.ok && result.config.keys).toEqual([
      { ...BARE_KEY, id: 'a', secret: hashOf(SECRET), models: [], disabled: true },
    ])
  })

  test('that can be guessed are warned of by their id', async () => {
    const keys = [
      { id: 'short', secret: 'x'.repeat(19) },
      { id: 'long', secret: 'x'.repeat(20) },
      { id: 'hashed', secret: hashOf('x') },
    ]
    expect(await parse({ keys })).toMatchObject({
      ok: true,
      warnings: [
        'the secret of key "short" is short enough to be guessed; use 20 characters or more.',
      ],
    })
  })

  test('need different ids', async () => {
    const keys = [
      { id: 'a', secret: SECRET },
      { id: 'b', secret: OTHER },
      { id: 'a', secret: 'x'.repeat(20) },
    ]
    expect(await faultsOf({ keys })).toEqual([
      'keys[2].id: "a" is also the id of keys[0]; ids must differ',
    ])
  })

  test('need ids that differ from those given to keys without one', async () => {
    expect(await faultsOf({ keys: [SECRET, { id: 'key-1', secret: OTHER }] })).toEqual([
      'keys[1].id: "key-1" is also the id of keys[0]; ids must differ',
    ])
    expect(
      await faultsOf({ keys: [{ id: 'env-1', secret: SECRET }] }, { env: { API_KEYS: OTHER } }),
    ).toEqual(['API_KEYS, entry 1: the id "env-1" is also the id of keys[0]; ids must differ'])
  })

  test.each([
    ['both plain', SECRET, SECRET],
    ['plain and hashed', SECRET, hashOf(SECRET)],
    ['hashed and plain', hashOf(SECRET), SECRET],
    ['both hashed', hashOf(SECRET), hashOf(SECRET)],
  ])('need different secrets: %s', async (_how, first, second) => {
    const keys = [
      { id: 'a', secret: first },
      { id: 'b', secret: second },
    ]
    expect(await faultsOf({ keys })).toEqual([
      'keys[1].secret: is the same as that of "a"; each key needs its own',
    ])
  })

  test('need different secrets in file and environment, too', async () => {
    const env = { API_KEYS: `phone=${SECRET}` }
    expect(await faultsOf({ keys: [{ id: 'laptop', secret: hashOf(SECRET) }] }, { env })).toEqual([
      'API_KEYS, entry 1: the key is the same as that of "laptop"; each key needs its own',
    ])
  })
})

function kept(place: string, right: string, why: string): string {
  return `${place}.swap: "${right}" is kept by the queue, and ${why}. Remove it, or what it forbids would be allowed`
}

describe('a right to swap that only the queue keeps', () => {
  const keys = [
    { id: 'a', secret: SECRET, swap: 'evict' },
    { id: 'b', secret: OTHER, swap: 'use' },
    { id: 'c', secret: 'x'.repeat(20), swap: 'load' },
  ] as const

  test('is refused where the queue is turned off, with its place', async () => {
    expect(await faultsOf({ keys, queue: false })).toEqual([
      kept('keys[1]', 'use', 'queue is false'),
      kept('keys[2]', 'load', 'queue is false'),
    ])
  })

  test('is kept where there is a queue, and needed by no key that may put models out', async () => {
    expect(await faultsOf({ keys })).toEqual([])
    expect(await faultsOf({ keys: [keys[0], OTHER], queue: false })).toEqual([])
  })

  test('is refused with the reason of a host that has no queue', async () => {
    const parsed = await parse({ keys })
    const configured = parsed.ok ? parsed.config.keys : []
    const problems = withoutQueue(configured, 'a Worker has none')
    expect(problems.map(({ path, message }) => `${showPath(path)}: ${message}`)).toEqual([
      kept('keys[1]', 'use', 'a Worker has none'),
      kept('keys[2]', 'load', 'a Worker has none'),
    ])
  })
})

function noKeysFault(where: string): string {
  return `keys: there are none, but others could reach the gate${where}. Add a key, set API_KEYS, or listen on 127.0.0.1`
}

describe('an address that others can reach', () => {
  test.each(['0.0.0.0', '::', '192.168.1.5', 'gpu-box'])('%s needs a key', async (host) => {
    expect(await faultsOf({ listen: { host } })).toEqual([noKeysFault(` on ${host}`)])
    expect(await faultsOf({ listen: { host } }, { env: { API_KEYS: SECRET } })).toEqual([])
  })

  test.each(['127.0.0.1', 'localhost', '::1'])('is not %s', async (host) => {
    expect(await faultsOf({ listen: { host } })).toEqual([])
  })

  test('may come from the environment', async () => {
    expect(await faultsOf(undefined, { env: { HOST: '0.0.0.0' } })).toEqual([
      noKeysFault(' on 0.0.0.0'),
    ])
  })

  test('is every address where the gate is public anyway', async () => {
    expect(await faultsOf({}, { isPublic: true })).toEqual([noKeysFault('')])
    expect(await faultsOf({ keys: [SECRET] }, { isPublic: true })).toEqual([])
  })
})

test('a gate that tells clients where it is must have been told', async () => {
  const opencode = { wellKnown: true }
  expect(await faultsOf({ opencode, keys: [SECRET] })).toEqual([
    'opencode.wellKnown: tells clients where the gate is, so it needs publicUrl. Set that to the address by which clients reach the gate',
  ])
  expect(await faultsOf({ opencode, publicUrl: 'https://gate.example', keys: [SECRET] })).toEqual(
    [],
  )
})

describe('an upstream that is the gate itself is refused', () => {
  test.each([
    ['127.0.0.1', 3000, 'http://127.0.0.1:3000'],
    ['127.0.0.1', 3000, 'http://localhost:3000/'],
    ['localhost', 3000, 'http://[::1]:3000'],
    ['0.0.0.0', 3000, 'http://127.0.0.1:3000'],
    ['::', 3000, 'http://localhost:3000'],
    ['127.0.0.1', 3000, 'http://0.0.0.0:3000'],
    ['192.168.1.5', 3000, 'http://192.168.1.5:3000/v1'],
    ['GPU-box', 3000, 'http://gpu-box:3000'],
    ['127.0.0.1', 80, 'http://127.0.0.1'],
    ['127.0.0.1', 443, 'https://localhost'],
  ])('listening on %s port %d, upstream %s', async (host, port, url) => {
    expect(await faultsOf({ listen: { host, port }, upstream: { url }, keys: [SECRET] })).toEqual([
      `upstream.url: is the gate's own address (port ${port}); it must be llama-swap's, usually http://127.0.0.1:8080`,
    ])
  })

  test('in front of a gate, too, which has another address then', async () => {
    const upstream = { kind: 'swapgate', url: 'http://localhost:3000', apiKey: SECRET }
    expect(await faultsOf({ upstream, keys: [SECRET] })).toEqual([
      "upstream.url: is the gate's own address (port 3000); it must be that of the gate behind this one",
    ])
  })

  test.each([
    ['127.0.0.1', 3000, 'http://127.0.0.1:8080'],
    ['127.0.0.1', 3000, 'http://gpu-box:3000'],
    ['192.168.1.5', 8080, 'http://127.0.0.1:8080'],
    ['192.168.1.5', 8080, 'http://192.168.1.6:8080'],
    ['127.0.0.1', 80, 'https://127.0.0.1'],
  ])('but not listening on %s port %d, upstream %s', async (host, port, url) => {
    expect(await faultsOf({ listen: { host, port }, upstream: { url }, keys: [SECRET] })).toEqual(
      [],
    )
  })

  test('nor where the gate has no address of its own', async () => {
    const file = { upstream: { url: 'http://127.0.0.1:3000' }, keys: [SECRET] }
    expect(await faultsOf(file, { isPublic: true })).toEqual([])
  })
})

describe('a message', () => {
  test('names the file, and the place of a fault of syntax', async () => {
    expect(await parse('{\n  "listen": {},\n}')).toEqual({
      ok: false,
      message:
        'The configuration in ./config.json is not valid:\n' +
        '  line 3, column 1: not valid JSON (comments and trailing commas are not allowed)',
    })
  })

  test('names every fault of the schema at once', async () => {
    const file = { listen: { prot: 1 }, keys: ['sk 1'], log: { level: 7 } }
    expect((await faultsOf(file)).map((fault) => fault.split(':')[0])).toEqual([
      'listen.prot',
      'keys[0]',
      'log.level',
    ])
  })

  test('names every conflict at once', async () => {
    const file = {
      listen: { port: 8080 },
      keys: [
        { id: 'a', secret: SECRET },
        { id: 'a', secret: SECRET },
      ],
    }
    expect((await faultsOf(file)).map((fault) => fault.split(':')[0])).toEqual([
      'keys[1].id',
      'keys[1].secret',
      'upstream.url',
    ])
  })

  test('never tells of a section of the wrong kind less because the environment sets it', async () => {
    const env = { HOST: '::1', API_KEYS: SECRET }
    expect(await faultsOf({ listen: '0.0.0.0:3000', keys: OTHER }, { env })).toEqual([
      'listen: must be an object: { … }, but is text in quotes',
      'keys: must be a list: [ … ], but is text in quotes',
    ])
  })

  test('shows no generated key, even in the place of a name', async () => {
    const files = [
      { keys: [{ [SECRET]: 'laptop' }] },
      { [SECRET]: true },
      { upstream: { headers: { [`Bearer ${SECRET}`]: '' } } },
      { upstream: { apiKey: `{env:${SECRET}}` } },
      {
        keys: [
          { id: SECRET, secret: OTHER },
          { id: SECRET, secret: 'x'.repeat(20) },
        ],
      },
      `{"${SECRET}":1,"${SECRET}":2}`,
    ]
    for (const file of files) {
      const faults = await faultsOf(file)
      expect(faults.length).toBeGreaterThan(0)
      expect(faults.join('\n')).not.toContain(SECRET)
    }
  })

  test('and a warning hold no secret, whatever else is wrong', async () => {
    const secret = fc
      .stringMatching(/^[!-+\--~]{8,40}$/)
      .filter((text) => !/^[a-z0-9:]+$/.test(text))
    const fault = fc.constantFrom<object>(
      {},
      { listen: { host: '0.0.0.0', port: 8080 } },
      { listen: { prot: 1 } },
      { log: { level: 'x' } },
      { cors: 7 },
    )
    const place = fc.constantFrom<(text: string) => object>(
      (text) => ({ keys: [text, text] }),
      (text) => ({ keys: [`${text} `, text] }),
      (text) => ({
        keys: [
          { id: 'a', secret: text },
          { id: 'a', secret: text },
        ],
      }),
      (text) => ({ keys: [{ id: 'a', secret: `sha256:${text}` }] }),
      (text) => ({ keys: [{ id: 'a', secret: [text] }] }),
      (text) => ({ keys: { a: text } }),
      (text) => ({ keys: text }),
      (text) => ({ upstream: { apiKey: `${text}\n` } }),
      (text) => ({ upstream: { apiKey: { key: text } } }),
      (text) => ({ upstream: { headers: { 'x-token': `${text}\n` } } }),
      (text) => ({ upstream: { url: `http://user:${text}@box` } }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(secret, fault, fc.boolean()),
        place,
        async ([text, wrong, isCut], put) => {
          const file = JSON.stringify({ ...put(text), ...wrong })
          const env = { API_KEYS: `a=${text},${text} ${text}`, UPSTREAM_API_KEY: `${text}\t` }
          for (const rest of [{}, { env }]) {
            const result = await parse(isCut ? file.slice(0, -1) : file, rest)
            const said = result.ok ? result.warnings.join('\n') : result.message
            expect(said).not.toContain(text)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('every content', () => {
  const names = ['listen', 'host', 'port', 'upstream', 'url', 'apiKey', 'headers', 'keys', 'id']
  const moreNames = ['secret', 'scopes', 'models', 'expires', 'log', 'level', 'cors', 'origins']
  const limits = ['limits', 'queue', 'usage', 'slots', 'swap', 'weight', 'burst', 'timeZone']
  const odd = ['__proto__', 'constructor', 'toString', '', '{env:X}', 'listne']
  const key = fc.constantFrom(...names, ...moreNames, ...limits, ...odd)
  const leaf = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom(
      '{env:X}',
      '{env:}',
      '{file:x}',
      '{env:toString}',
      'http://x',
      'info',
      '*',
      1e308,
    ),
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    ),
  }))

  test('gives either a configuration or a message, never an exception', async () => {
    const text = fc.oneof(
      tree.map((value) => JSON.stringify(value)),
      fc.dictionary(key, tree, { maxKeys: 6 }).map((value) => JSON.stringify(value)),
      fc.json(),
      fc.string({ unit: 'binary' }),
    )
    const env = fc.dictionary(
      fc.constantFrom('HOST', 'PORT', 'PUBLIC_URL', 'UPSTREAM_URL', 'API_KEYS', 'LOG_LEVEL', 'X'),
      fc.oneof(fc.string(), fc.constantFrom('a=b', '=', '==', ',', '1', 'http://x', '0.0.0.0')),
    )
    await fc.assert(
      fc.asyncProperty(text, env, fc.boolean(), async (file, variables, isPublic) => {
        const result = await parse(file, { env: variables, isPublic })
        const said = result.ok ? `listens on ${result.config.listen.port}` : result.message
        expect(said).toMatch(
          /^listens on \d+$|^The (?:configuration in|environment) .*not valid:\n {2}./s,
        )
      }),
      { numRuns: 200 },
    )
  })

  test('that is accepted is safe: hashed secrets, different ids, and a key wherever others could come in', async () => {
    const id = fc.constantFrom('a', 'b', 'key-1', 'env-1')
    const secret = fc.constantFrom(SECRET, OTHER, hashOf(SECRET), 'x'.repeat(20))
    const file = fc.record({
      listen: fc.record({
        host: fc.constantFrom('127.0.0.1', '0.0.0.0', '::'),
        port: fc.constantFrom(3000, 8080),
      }),
      keys: fc.array(fc.oneof(secret, fc.record({ id, secret })), { maxLength: 3 }),
    })
    const seen = { accepted: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(file, async (written) => {
        const result = await parse(written)
        if (!result.ok) return void seen.refused++
        seen.accepted++
        const { keys, listen } = result.config
        expect({
          areHashed: keys.every((known) => /^sha256:[0-9a-f]{64}$/.test(known.secret)),
          ids: new Set(keys.map((known) => known.id)).size,
          secrets: new Set(keys.map((known) => known.secret)).size,
          isGuarded: keys.length > 0 || listen.host === '127.0.0.1',
          port: listen.port,
        }).toEqual({
          areHashed: true,
          ids: keys.length,
          secrets: keys.length,
          isGuarded: true,
          port: 3000,
        })
      }),
      { numRuns: 300 },
    )
    expect(seen.accepted).toBeGreaterThan(0)
    expect(seen.refused).toBeGreaterThan(0)
  })
})

test('a key that is limited to some models and has "admin" is warned of: /upstream/ reaches them all', async () => {
  const key = { id: 'both', secret: `sha256:${'a'.repeat(64)}`, scopes: ['admin'], models: ['glm'] }
  const text = JSON.stringify({ keys: [key] })
  const file = { name: 'config.json', text }
  const parsed = await parseConfig({ file, env: {}, readFile: undefined }, () => 'unused')
  expect(parsed.ok && parsed.warnings).toEqual([
    'key "both" is limited to some models, but its scope "admin" reaches every model below /upstream/.',
  ])
})

describe('where secrets are taken only as hashes', () => {
  test('one in clear is refused, wherever it comes from, without being shown', async () => {
    const file = { keys: [SECRET, { id: 'hashed', secret: hashOf(OTHER) }] }
    const faults = await faultsOf(file, { hashedOnly: true, env: { API_KEYS: `phone=${OTHER}` } })
    expect(faults).toEqual([
      expect.stringMatching(/^keys\[0\]\.secret: stands in clear, .* -- --id key-1$/),
      expect.stringMatching(
        /^API_KEYS, entry 1: the key stands in clear, .* sha256sum .* -- --id phone$/,
      ),
    ])
    expect(faults.join()).not.toMatch(`${SECRET}|${OTHER}`)
  })

  test('hashes are taken as elsewhere', async () => {
    const file = { keys: [{ id: 'hashed', secret: hashOf(OTHER) }] }
    const env = { API_KEYS: `phone=${hashOf(SECRET)}` }
    expect(await parse(file, { hashedOnly: true, env })).toEqual(await parse(file, { env }))
  })
})

describe('where heartbeat and body are usually others', () => {
  const heartbeat = { afterMs: 1, everyMs: 2 }
  const body = { maxBytes: 4096 }
  const defaults = { heartbeat, body }

  test.each([
    ['nothing is written of it', undefined, heartbeat],
    ['nothing is written in it', {}, heartbeat],
    ['one number is written', { afterMs: 0 }, { afterMs: 0, everyMs: 2 }],
    ['both are written', { afterMs: 30, everyMs: 40 }, { afterMs: 30, everyMs: 40 }],
  ])('the heartbeat is taken as far as %s', async (_what, written, expected) => {
    const file = written && { heartbeat: written }
    const config = { heartbeat: expected, body }
    expect(await parse(file, { defaults })).toMatchObject({ config })
  })

  test.each([
    ['the usual one', {}, body],
    ['the one that is written', { maxBytes: 2048 }, { maxBytes: 2048 }],
  ])('the largest body is %s', async (_what, written, expected) => {
    const config = { heartbeat, body: expected }
    expect(await parse({ body: written }, { defaults })).toMatchObject({ config })
  })

  test.each([['soon'], [null], [[1]]])('%j is refused as elsewhere', async (written) => {
    for (const file of [{ heartbeat: written }, { body: written }]) {
      const faults = await faultsOf(file)
      expect([faults.length, await faultsOf(file, { defaults })]).toEqual([1, faults])
    }
  })
})
