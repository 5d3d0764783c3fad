import { describe, expect, test } from 'vitest'
import { readContent, type Inbound, type ReadContent } from '../../../src/body/read-content.ts'
import type { ModelPlace } from '../../../src/routes/route-table.ts'

const encoder = new TextEncoder()

function read(
  place: ModelPlace,
  inbound: Partial<Omit<Inbound, 'body'>> & { body?: string },
): ReadContent {
  const { body, ...rest } = inbound
  return readContent(place, {
    contentType: undefined,
    search: '',
    ...rest,
    body: body === undefined ? undefined : encoder.encode(body),
  })
}

const missing: ReadContent = { ok: false, error: { kind: 'model-missing' } }
const bad = (detail: string, param?: string): ReadContent => ({
  ok: false,
  error: { kind: 'bad-request', detail, ...(param !== undefined && { param }) },
})
const json = (model: string, streamed = false): object => ({
  ok: true,
  model,
  streamed,
  contentType: 'application/json',
  queryModel: undefined,
  members: expect.any(Map),
})

describe('a route without a model', () => {
  test('is not read at all, whatever it carries', () => {
    const inbound = { body: '{"model":', contentType: 'application/json', search: '?model=a' }
    expect(read('none', inbound)).toEqual({
      ok: true,
      model: undefined,
      streamed: false,
      contentType: undefined,
      queryModel: undefined,
      members: undefined,
    })
  })
})

describe('a model in the query', () => {
  test.each([
    ['?model=a', 'a'],
    ['?x=1&model=a&y=2', 'a'],
    ['?model=a%2Fb%20c', 'a/b c'],
    ['?mod%65l=a', 'a'],
    ['?model=a+b', 'a b'],
    ['?model=a;model=b', 'a;model=b'],
    ['?Model=b&model=a', 'a'],
  ])('%j names %j', (search, model) => {
    expect(read('query', { search })).toEqual({
      ok: true,
      model,
      streamed: false,
      contentType: undefined,
      queryModel: model,
      members: undefined,
    })
  })

  test.each(['', '?', '?x=1', '?model=', '?model', '?MODEL=a'])('%j names none', (search) => {
    expect(read('query', { search })).toEqual(missing)
  })

  test.each(['?model=a&model=b', '?model=a&model=a', '?model=a&mod%65l=b', '?model=&model=a'])(
    '%j names more than one',
    (search) => {
      expect(read('query', { search })).toEqual(bad('The query must name one model.', 'model'))
    },
  )

  test('counts; one in a body does not', () => {
    expect(read('query', { body: '{"model":"a"}' })).toEqual(missing)
  })
})

describe('a model in a JSON body', () => {
  test.each([
    ['{"model":"a"}', json('a')],
    [' {"messages":[],"model" : "a"} ', json('a')],
    ['{"mod\\u0065l":"a"}', json('a')],
    ['{"model":"\\u0061"}', json('a')],
    ['{"model":"grüß/世界"}', json('grüß/世界')],
    ['{"model":"a","stream":true}', json('a', true)],
    ['{"model":"a","stream":false}', json('a')],
    ['{"model":"a","stream":null}', json('a')],
    ['{"model":"a","str\\u0065am":true}', json('a', true)],
    ['{"model":"a","stream_options":{"stream":true}}', json('a')],
    ['{"model":" a "}', json(' a ')],
  ])('%s', (body, content) => {
    expect(read('json', { body })).toEqual(content)
  })

  test.each(['{}', '{"model":""}', '{"messages":[{"model":"a"}]}', '{"Model":"a"}'])(
    '%s names none',
    (body) => {
      expect(read('json', { body })).toEqual(missing)
    },
  )

  test.each(['1', 'null', 'true', '["a"]', '{"id":"a"}'])('"model":%s is no name', (value) => {
    expect(read('json', { body: `{"model":${value}}` })).toEqual(
      bad('"model" must be a string.', 'model'),
    )
  })

  test.each(['"\n"', '"\\x"'])('"model":%j is no JSON, so it is no name', (value) => {
    expect(read('json', { body: `{"model":${value}}` })).toEqual(
      bad('"model" must be a string.', 'model'),
    )
  })

  test('a name that is not UTF-8 is no name', () => {
    const body = new Uint8Array([...encoder.encode('{"model":"'), 0xff, ...encoder.encode('"}')])
    expect(readContent('json', { body, contentType: undefined, search: '' })).toEqual(
      bad('"model" must be a string.', 'model'),
    )
  })

  test.each(['"true"', '1', '0', '{}', '[]', '"\n"'])('"stream":%j is refused', (value) => {
    expect(read('json', { body: `{"model":"a","stream":${value}}` })).toEqual(
      bad('"stream" must be true or false.', 'stream'),
    )
  })

  test.each([
    ['', bad('The request needs a JSON body.')],
    [undefined, bad('The request needs a JSON body.')],
    ['["a"]', bad('The body must be one JSON object.')],
    ['model=a', bad('The body must be one JSON object.')],
    ['garbage{"model":"a"}', bad('The body must be one JSON object.')],
    ['{"model":"a"', bad('The body is not valid JSON.')],
    ['{"model":"a"} trailing', bad('The body is not valid JSON.')],
    ['{"model":"a", bad', bad('The body is not valid JSON.')],
    [`{"model":"a","x":${'['.repeat(200)}`, bad('The JSON of the body is nested too deeply.')],
    ['{"model":"a","model":"b"}', bad('The JSON of the body has the same field twice.', 'model')],
    [
      '{"mod\\u0065l":"a","model":"b"}',
      bad('The JSON of the body has the same field twice.', 'model'),
    ],
    ['{"model":"a","n":1,"n":2}', bad('The JSON of the body has the same field twice.', 'n')],
  ])('%j is refused', (body, content) => {
    expect(read('json', body === undefined ? {} : { body })).toEqual(content)
  })

  test.each([
    undefined,
    'text/plain',
    'Application/JSON',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ])('is read as JSON and forwarded as JSON under Content-Type %j', (contentType) => {
    const inbound = { body: '{"model":"a"}', contentType, search: '?model=b' }
    expect(read('json', inbound)).toEqual(json('a'))
  })
})

test('the members of a JSON body are told by their places', () => {
  expect(read('json', { body: '{"model":"a", "n": [1] }' })).toEqual({
    ...json('a'),
    members: new Map([
      ['model', { start: 9, end: 12 }],
      ['n', { start: 19, end: 22, list: { items: 1, numbers: 1 } }],
    ]),
  })
})

const withMember = (name: string, value: string): string => `{"model":"a","${name}":${value}}`
/** JSON text of as many bytes. */
const options = (bytes: number): string => `{"a":"${'a'.repeat(bytes - 8)}"}`

describe('a value that is longer than any that the gate reads', () => {
  const list = `[{}${',{}'.repeat(2_700_000)}]`
  const TOO_LONG = 'is longer than any value that it may have.'
  const SCALARS = [
    'max_tokens',
    'max_completion_tokens',
    'max_output_tokens',
    'n_predict',
    'n',
    'n_cmpl',
    'best_of',
    'return_progress',
  ]

  test('is no model, and no stream: a list of megabytes is not built to say so', () => {
    expect([
      read('json', { body: `{"model":${list}}` }),
      read('json', { body: withMember('stream', list) }),
    ]).toEqual([
      bad('"model" must be a string.', 'model'),
      bad('"stream" must be true or false.', 'stream'),
    ])
  })

  test('is no name of a model: 4096 bytes with the quotes are the longest', () => {
    expect([
      read('json', { body: `{"model":"${'m'.repeat(4094)}"}` }),
      read('json', { body: `{"model":"${'m'.repeat(4095)}"}` }),
    ]).toEqual([
      json('m'.repeat(4094)),
      bad('"model" is longer than any name of a model.', 'model'),
    ])
  })

  test.each(SCALARS)('is refused where it is a list of megabytes: "%s"', (name) => {
    expect(read('json', { body: withMember(name, list) })).toEqual(
      bad(`"${name}" ${TOO_LONG}`, name),
    )
  })

  test.each(SCALARS)('is refused from 65 bytes on: "%s"', (name) => {
    expect([
      read('json', { body: withMember(name, `2.${'0'.repeat(62)}`) }),
      read('json', { body: withMember(name, `2.${'0'.repeat(63)}`) }),
    ]).toEqual([json('a'), bad(`"${name}" ${TOO_LONG}`, name)])
  })

  test('is refused from 4097 bytes on where it is an object: "stream_options"', () => {
    expect([
      read('json', { body: withMember('stream_options', options(4096)) }),
      read('json', { body: withMember('stream_options', options(4097)) }),
    ]).toEqual([json('a'), bad(`"stream_options" ${TOO_LONG}`, 'stream_options')])
  })

  test('is left alone where the gate does not read it', () => {
    expect(read('json', { body: withMember('messages', list) })).toEqual(json('a'))
  })
})

describe('a JSON body of too many or too long names', () => {
  test.each([
    [
      'a thousand and one fields',
      `{"model":"a"${Array.from({ length: 1000 }, (_, i) => `,"${i}":1`).join('')}}`,
      'The JSON of the body has more than a thousand fields at its top level.',
    ],
    [
      'a name of a kilobyte',
      `{"model":"a","${'x'.repeat(1023)}":1}`,
      'The JSON of the body has a field of a very long name.',
    ],
  ])('is refused: %s', (_, body, detail) => {
    expect(read('json', { body })).toEqual(bad(detail))
  })
})

describe('a model in a JSON body or a form', () => {
  const form = [
    '--x',
    'Content-Disposition: form-data; name="file"; filename="a.wav"',
    'Content-Type: audio/wav',
    '',
    'RIFF',
    '--x',
    'Content-Disposition: form-data; name="model"',
    '',
    'whisper',
    '--x--',
    '',
  ].join('\r\n')
  const contentType = 'multipart/form-data; boundary=x'

  test('is read from the form, which keeps its boundary', () => {
    expect(read('json-or-form', { body: form, contentType })).toEqual({
      ok: true,
      model: 'whisper',
      streamed: false,
      contentType: 'multipart/form-data; boundary="x"',
      queryModel: undefined,
      members: undefined,
    })
  })

  test.each(['Multipart/Form-Data; boundary=x', 'multipart/form-data;boundary="x"'])(
    'is read from the form under %j, too',
    (spelled) => {
      expect(read('json-or-form', { body: form, contentType: spelled })).toMatchObject({
        ok: true,
        model: 'whisper',
      })
    },
  )

  test('a field that is missing or empty names none', () => {
    const without = form.replace('name="model"', 'name="language"')
    const empty = form.replace('whisper', '')
    expect([
      read('json-or-form', { body: without, contentType }),
      read('json-or-form', { body: empty, contentType }),
      read('json-or-form', { body: '--x--', contentType, search: '?model=whisper' }),
    ]).toEqual([missing, missing, missing])
  })

  test.each([
    ['multipart/mixed; boundary=x', 'The multipart boundary is missing or unusual.'],
    ['multipart/form-data', 'The multipart boundary is missing or unusual.'],
    ['multipart/form-data; boundary=y', 'The multipart body is malformed.'],
  ])('a form under %j is refused', (spelled, detail) => {
    expect(read('json-or-form', { body: form, contentType: spelled })).toEqual(bad(detail))
  })

  test('a form without a body is refused', () => {
    expect(read('json-or-form', { contentType })).toEqual(bad('The multipart body is malformed.'))
  })

  test.each([undefined, 'application/json', 'application/x-www-form-urlencoded', 'text/plain'])(
    'is read from JSON under %j',
    (other) => {
      const inbound = { body: '{"model":"whisper","stream":true}', contentType: other }
      expect(read('json-or-form', inbound)).toEqual(json('whisper', true))
    },
  )
})
