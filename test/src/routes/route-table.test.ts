import { expect, test } from 'vitest'
import { dialectOf } from '../../../src/dialects/dialect-of.ts'
import { canonicalTarget } from '../../../src/routes/canonical-path.ts'
import { ROUTES, type RouteCost } from '../../../src/routes/route-table.ts'

test('no pair of method and path stands in the table twice', () => {
  const pairs = ROUTES.map(({ method, path }) => `${method} ${path}`)
  expect(pairs.filter((pair, i) => pairs.indexOf(pair) !== i)).toEqual([])
})

test('every path of the table can be asked for', () => {
  const paths = ROUTES.map(({ path }) => path.replace(/\/\*$/, '/x'))
  const accepted = paths.filter((path) => canonicalTarget(`http://gate${path}`, 'gate', path).ok)
  expect(accepted).toEqual(paths)
})

test('a star stands for everything below a path, never inside one', () => {
  const starred = ROUTES.map(({ path }) => path).filter((path) => path.includes('*'))
  expect(starred.filter((path) => !/^[^*]+\/\*$/.test(path))).toEqual([])
})

test('a model is looked for on the routes of inference and on no other', () => {
  const withModel = ROUTES.filter(({ model }) => model !== 'none')
  expect(withModel).toEqual(ROUTES.filter(({ kind }) => kind === 'inference'))
})

test('GET reads its model from the query, POST from the body', () => {
  const inference = ROUTES.filter(({ kind }) => kind === 'inference')
  const fromQuery = inference.filter(({ model }) => model === 'query')
  expect(fromQuery).toEqual(inference.filter(({ method }) => method === 'GET'))
})

test('each streaming route names the frames of its answer', () => {
  const streams = ROUTES.flatMap(({ path, stream }) => (stream ? [[path, stream]] : []))
  expect(Object.fromEntries(streams)).toEqual({
    '/v1/chat/completions': 'chat',
    '/v1/completions': 'chat',
    '/v1/responses': 'responses',
    '/v1/messages': 'messages',
    '/infill': 'native',
    '/completion': 'native',
    '/v/chat/completions': 'chat',
    '/v/completions': 'chat',
    '/v/responses': 'responses',
    '/v/messages': 'messages',
  })
})

test("Anthropic's frames come only where Anthropic's dialect is spoken", () => {
  const paths = ROUTES.filter(({ stream }) => stream === 'messages').map(({ path }) => path)
  const spoken = ROUTES.filter(({ path, stream }) => stream && dialectOf(path) === 'anthropic')
  expect(paths).toEqual(spoken.map(({ path }) => path))
})

test('every GET of an admin page that changes something is known to have an effect', () => {
  const effects = ROUTES.filter(({ method, effect }) => method === 'GET' && effect)
  expect(effects.map(({ path }) => path)).toEqual(['/unload', '/upstream/*', '/comfyui/*'])
})

test('every other method of an admin route has an effect', () => {
  const writes = ROUTES.filter(({ method, kind }) => method !== 'GET' && kind === 'admin')
  expect(writes.filter(({ effect }) => !effect)).toEqual([])
  expect(writes.length).toBeGreaterThan(0)
})

const paths = (cost: RouteCost): string[] =>
  ROUTES.filter((route) => route.kind === 'inference' && route.cost === cost).map(
    ({ path }) => path,
  )

test('only inference has a cost: tokens where there is text, a request where there is sound or a picture', () => {
  expect({ tokens: paths('tokens'), request: paths('request'), free: paths('free') }).toEqual({
    tokens: [
      '/v1/chat/completions',
      '/v1/completions',
      '/v1/responses',
      '/v1/messages',
      '/v1/embeddings',
      '/v1/rerank',
      '/v1/reranking',
      '/rerank',
      '/reranking',
      '/infill',
      '/completion',
      '/v/chat/completions',
      '/v/completions',
      '/v/responses',
      '/v/messages',
      '/v/embeddings',
      '/v/rerank',
      '/v/reranking',
    ],
    request: [
      '/v1/audio/speech',
      '/v1/audio/voices',
      '/v1/audio/transcriptions',
      '/v1/images/generations',
      '/v1/images/edits',
      '/sdapi/v1/txt2img',
      '/sdapi/v1/img2img',
      '/audioapi/v1/tasks/run',
    ],
    free: [
      '/v1/messages/count_tokens',
      '/v/messages/count_tokens',
      '/v1/audio/voices',
      '/sdapi/v1/loras',
      '/props',
    ],
  })
  const others = ROUTES.filter(({ kind, cost }) => kind !== 'inference' && cost !== 'free')
  expect(others).toEqual([])
})

test('the usage of a key is a listing, open to every key and without a model', () => {
  expect(ROUTES.find(({ path }) => path === '/usage')).toEqual({
    method: 'GET',
    path: '/usage',
    kind: 'listing',
    model: 'none',
    cost: 'free',
  })
})
