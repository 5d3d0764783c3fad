import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { createAskModelServer } from '../../../adapters/process/ask-model-server.ts'
import type { AskModelServer } from '../../../src/deps.ts'

const BOX = {
  kind: 'llama-swap',
  url: 'http://127.0.0.1:8080',
  apiKey: undefined,
  askModels: true,
} as const

const stops: (() => void)[] = []
afterEach(() => stops.splice(0).forEach((stop) => stop()))

async function serve(answer: RequestListener): Promise<number> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  stops.push(() => server.close().closeAllConnections())
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
  return address.port
}

/** The one that the box has; the test fails where there is none. */
function askOf(
  upstream: Parameters<typeof createAskModelServer>[0] = BOX,
  patienceMs?: number,
): AskModelServer {
  const ask = createAskModelServer(upstream, patienceMs)
  if (!ask) throw new Error('expected a way to ask')
  return ask
}

test('a server is asked for its description', async () => {
  const seen: unknown[] = []
  const port = await serve((request, response) => {
    seen.push([request.method, request.url, request.headers.authorization])
    response.end('{"total_slots":1}')
  })
  const texts = [
    await askOf()(`http://127.0.0.1:${port}`, true),
    await askOf()(`http://localhost:${port}/m/`, false),
  ]
  expect([texts, seen]).toEqual([
    ['{"total_slots":1}', '{"total_slots":1}'],
    [
      ['GET', '/props', undefined],
      ['GET', '/m/props', undefined],
    ],
  ])
})

const KEYED = { ...BOX, apiKey: 'internal' } as const

test.each([
  ['one that was started with a key', KEYED, true, 'for a key', [undefined, 'Bearer internal']],
  ['one that was started without', KEYED, false, undefined, [undefined]],
  ['one with a key, where the gate has none', BOX, true, undefined, [undefined]],
] as const)("%s is shown the gate's own only when it asks for it", async (...row) => {
  const [, upstream, wantsKey, text, keys] = row
  const seen: unknown[] = []
  const port = await serve((request, response) => {
    seen.push(request.headers.authorization)
    if (request.headers.authorization === undefined) response.writeHead(401).end('{}')
    else response.end('for a key')
  })
  expect([await askOf(upstream)(`http://127.0.0.1:${port}`, wantsKey), seen]).toEqual([text, keys])
})

describe('nothing comes of', () => {
  test.each<[string, RequestListener]>([
    ['a refusal', (_, response) => response.writeHead(401).end('{}')],
    ['a redirect', (_, response) => response.writeHead(302, { location: '/other' }).end()],
    [
      'an answer without end',
      (_, response) => void setInterval(() => response.write(' '.repeat(200_000)), 1).unref(),
    ],
    ['a broken one', (_, response) => void response.destroy()],
    ['silence', () => {}],
  ])('%s', async (_, answer) => {
    const port = await serve((request, response) =>
      request.url === '/props' ? answer(request, response) : response.end('followed'),
    )
    expect(await askOf(BOX, 100)(`http://127.0.0.1:${port}`, false)).toBeUndefined()
  })

  test('a server that is not there', async () => {
    expect(await askOf()('http://127.0.0.1:1', false)).toBeUndefined()
  })

  test.each([
    'http://192.168.1.2:5800',
    'http://box.example:5800',
    'https://127.0.0.1:5800',
    'file:///etc/passwd',
    'http://127.0.0.1.example',
    'http://127.0.0.1@box.example',
    'http://127.0.0.1:5800/unload?x=',
    'http://127.0.0.1:5800/unload#',
    'http://',
    '',
  ])('%j, which is not asked', async (server) => {
    expect(await askOf()(server, true)).toBeUndefined()
  })
})

test.each([
  ['llama-swap on another machine', { ...BOX, url: 'http://192.168.1.2:8080' }],
  ['another gate', { ...BOX, kind: 'swapgate' }],
  ['an owner who does not want it', { ...BOX, askModels: false }],
] as const)('behind %s no server is asked', (_, upstream) => {
  expect(createAskModelServer(upstream)).toBeUndefined()
})

test.each(['http://localhost:8080', 'http://[::1]:8080', 'https://127.0.0.1/swap'])(
  'with llama-swap at %s servers of this machine can be asked',
  (url) => {
    expect(createAskModelServer({ ...BOX, url })).toBeTypeOf('function')
  },
)
