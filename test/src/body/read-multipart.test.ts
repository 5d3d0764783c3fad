import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readMultipartField, type MultipartField } from '../../../src/body/read-multipart.ts'
import { readFormLikeGo } from './go-multipart.ts'

const TYPE = 'multipart/form-data; boundary=x'
const encoder = new TextEncoder()

/** A part: its header lines and its content. */
const part = (lines: string[], content: string): string => [...lines, '', content].join('\r\n')
const field = (name: string, content: string): string =>
  part([`Content-Disposition: form-data; name="${name}"`], content)
const file = (content: string): string =>
  part(
    ['Content-Disposition: form-data; name="file"; filename="a.wav"', 'Content-Type: audio/wav'],
    content,
  )
const form = (...parts: string[]): string =>
  `${parts.map((one) => `--x\r\n${one}\r\n`).join('')}--x--\r\n`

const read = (body: string, contentType = TYPE): MultipartField =>
  readMultipartField(encoder.encode(body), contentType, 'model')

const found = (value: string | undefined): MultipartField => ({
  ok: true,
  value,
  contentType: 'multipart/form-data; boundary="x"',
})
const refused = (detail: string): MultipartField => ({ ok: false, detail })

const BOUNDARY = refused('The multipart boundary is missing or unusual.')
const BODY = refused('The multipart body is malformed.')
const HEADER = refused('A part of the multipart body has an unusual header.')
const TWICE = refused('The multipart field "model" must be given once, as text.')
const TEXT = refused('The multipart field "model" is not short UTF-8 text.')

describe('a form as clients send it', () => {
  test.each([
    ['the field alone', form(field('model', 'whisper')), 'whisper'],
    ['behind a file', form(file('RIFF'), field('model', 'whisper')), 'whisper'],
    ['before a file', form(field('model', 'whisper'), file('RIFF')), 'whisper'],
    [
      'among other fields',
      form(field('language', 'de'), field('model', 'a'), field('n', '1')),
      'a',
    ],
    ['without the field', form(file('RIFF'), field('language', 'de')), undefined],
    ['without any part', '--x--\r\n', undefined],
    ['without a line break at the end', form(field('model', 'a')).trimEnd(), 'a'],
    ['with an empty field', form(field('model', '')), ''],
    ['with a name of several bytes', form(field('model', 'grüß/世界')), 'grüß/世界'],
    ['with line breaks in the field', form(field('model', 'a\r\nb\n')), 'a\r\nb\n'],
    [
      'with a type on the field',
      form(
        part(
          [
            'Content-Disposition: form-data; name="model"',
            'Content-Type: text/plain; charset=utf-8',
          ],
          'a',
        ),
      ),
      'a',
    ],
    [
      'with the type first',
      form(
        part(
          [
            'Content-Type: text/plain',
            'Content-Length: 1',
            'Content-Disposition: form-data; name="model"',
          ],
          'a',
        ),
      ),
      'a',
    ],
    ['in other letters', form(part(['content-disposition:form-data;name="model"'], 'a')), 'a'],
    [
      'with an encoding that changes nothing',
      form(
        part(
          ['Content-Disposition: form-data; name="model"', 'Content-Transfer-Encoding: 8bit'],
          'a',
        ),
      ),
      'a',
    ],
    [
      'with a file of a non-ASCII name',
      form(
        part(['Content-Disposition: form-data; name="file"; filename="grüß.wav"'], 'RIFF'),
        field('model', 'a'),
      ),
      'a',
    ],
  ])('%s', (_, body, value) => {
    expect(read(body)).toEqual(found(value))
  })

  test('a name that is 1024 bytes long is the longest', () => {
    expect([
      read(form(field('model', 'm'.repeat(1024)))),
      read(form(field('model', 'm'.repeat(1025)))),
    ]).toEqual([found('m'.repeat(1024)), TEXT])
  })

  test('a file may hold anything that only resembles the boundary', () => {
    const bytes = [...encoder.encode(form(file('@'), field('model', 'whisper')))]
    const lookAlikes = [
      '\r\n-',
      '\r\n--',
      '\r\n--X',
      '\n--x\r\n',
      '--x',
      '\r\r\n--y\r\n',
      '\r\n\r\n',
      '\0\r',
    ]
    const content = [0xff, 0xfe, ...encoder.encode(lookAlikes.join('q')), 0x80, 0x0d]
    const at = bytes.indexOf('@'.charCodeAt(0))

    const body = new Uint8Array(bytes.toSpliced(at, 1, ...content))

    expect(readMultipartField(body, TYPE, 'model')).toEqual(found('whisper'))
  })

  test('a file of any bytes is skipped', () => {
    const boundary = 'a-boundary-that-random-bytes-do-not-hold'
    const [before, after] = form(file('@'), field('model', 'whisper'))
      .replaceAll('--x', `--${boundary}`)
      .split('@')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (content) => {
        const body = Buffer.concat([encoder.encode(before), content, encoder.encode(after)])
        expect(
          readMultipartField(body, `multipart/form-data; boundary=${boundary}`, 'model'),
        ).toEqual({
          ok: true,
          value: 'whisper',
          contentType: `multipart/form-data; boundary="${boundary}"`,
        })
      }),
    )
  })
})

describe('the boundary', () => {
  test.each([
    [
      'multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW',
      '----WebKitFormBoundary7MA4YWxkTrZu0gW',
    ],
    ['multipart/form-data; boundary="a b"', undefined],
    ['multipart/form-data; boundary="with:colon/and?more=1,(x)"', 'with:colon/and?more=1,(x)'],
    ["multipart/form-data;boundary=a'b+c_d-e.f", "a'b+c_d-e.f"],
    ['MULTIPART/Form-Data; Boundary=Ab', 'Ab'],
    ['  multipart/form-data; boundary=ab ', 'ab'],
    [`multipart/form-data; boundary=${'b'.repeat(70)}`, 'b'.repeat(70)],
    [`multipart/form-data; boundary=${'b'.repeat(71)}`, undefined],
    ['multipart/form-data', undefined],
    ['multipart/form-data; boundary=', undefined],
    ['multipart/form-data; boundary=""', undefined],
    ['multipart/form-data; boundary=a b', undefined],
    ['multipart/form-data; boundary=a; boundary=b', undefined],
    ['multipart/form-data; boundary=a; charset=utf-8', undefined],
    ['multipart/form-data; charset=utf-8; boundary=a', undefined],
    ['multipart/form-data; boundary=a, multipart/form-data; boundary=b', undefined],
    ['multipart/form-data; boundary="a\\"b"', undefined],
    ["multipart/form-data; boundary*=utf-8''a", undefined],
    ['multipart/mixed; boundary=a', undefined],
    ['application/x-www-form-urlencoded', undefined],
    ['', undefined],
  ])('of %j is %j', (contentType, boundary) => {
    const body = boundary === undefined ? '--a--' : `--${boundary}--`
    const expected: MultipartField =
      boundary === undefined
        ? BOUNDARY
        : { ok: true, value: undefined, contentType: `multipart/form-data; boundary="${boundary}"` }
    expect(read(body, contentType)).toEqual(expected)
  })
})

const fields = (count: number): string =>
  form(...Array.from({ length: count }, (_, i) => field(`f${i}`, '')))

describe('the number of parts', () => {
  test('may be a thousand', () => {
    expect([read(fields(1000)), read(fields(1001))]).toEqual([
      found(undefined),
      refused('The multipart body has more than a thousand parts.'),
    ])
  })

  test('is refused before they are read: a million parts of nothing', () => {
    expect(read(`--x${'\r\n--x'.repeat(1_000_000)}--`)).toEqual(
      refused('The multipart body has more than a thousand parts.'),
    )
  })
})

describe('a field that could be read in two ways', () => {
  test.each([
    ['given twice', form(field('model', 'a'), field('model', 'b'))],
    ['given twice with the same value', form(field('model', 'a'), field('model', 'a'))],
    [
      'given as text and as file',
      form(
        field('model', 'a'),
        part(['Content-Disposition: form-data; name="model"; filename="f"'], 'b'),
      ),
    ],
    [
      'given as a file',
      form(part(['Content-Disposition: form-data; name="model"; filename="f"'], 'a')),
    ],
    [
      'given as a file without a name',
      form(part(['Content-Disposition: form-data; name="model"; filename=""'], 'a')),
    ],
    ['in other letters', form(field('Model', 'a'))],
    ['in both spellings', form(field('model', 'a'), field('MODEL', 'b'))],
  ])('%s is refused', (_, body) => {
    expect(read(body)).toEqual(TWICE)
  })

  test('that is not UTF-8 is refused', () => {
    const body = encoder.encode(form(field('model', '@')))
    body[body.indexOf('@'.charCodeAt(0))] = 0xff
    expect(readMultipartField(body, TYPE, 'model')).toEqual(TEXT)
  })

  test.each(['quoted-printable', 'Quoted-Printable', 'base64', 'x-unknown'])(
    'under Content-Transfer-Encoding %s is refused, because Go decodes quoted-printable by itself',
    (encoding) => {
      const lines = [
        'Content-Disposition: form-data; name="model"',
        `Content-Transfer-Encoding: ${encoding}`,
      ]
      expect(read(form(part(lines, 'FORBIDDE=4E')))).toEqual(HEADER)
    },
  )
})

describe('a part header that parsers read differently', () => {
  const disposition = 'Content-Disposition: form-data; name="model"'
  test.each([
    ['folded', ['Content-Disposition: form-data;', ' name="model"']],
    ['folded behind it', [disposition, ' ; x=y']],
    ['with a bare LF', [`${disposition}\nContent-Type: text/plain`]],
    ['with a bare CR', [`${disposition}\rX: y`]],
    ['missing', ['Content-Type: text/plain']],
    ['twice', [disposition, 'Content-Disposition: form-data; name="other"']],
    ['another type', ['Content-Disposition: attachment; name="model"']],
    ['without a name', ['Content-Disposition: form-data']],
    ['with two names', [`${disposition}; name="other"`]],
    ['with an unquoted name', ['Content-Disposition: form-data; name=model']],
    ['with an escaped name', ['Content-Disposition: form-data; name="mod\\el"']],
    ['with a percent escape', ['Content-Disposition: form-data; name="mod%65l"']],
    ['with an extended name', ["Content-Disposition: form-data; name*=utf-8''model"]],
    ['with an extended file name', [`${disposition}; filename*=utf-8''f`]],
    ['with a name in pieces', ['Content-Disposition: form-data; name*0="mo"; name*1="del"']],
    ['with the file name first', ['Content-Disposition: form-data; filename="f"; name="model"']],
    ['with another parameter', [`${disposition}; x=y`]],
    ['with a semicolon behind it', [`${disposition};`]],
    ['with a space before the colon', ['Content-Disposition : form-data; name="model"']],
    ['with a space before it', [` ${disposition}`]],
    ['with a tab in it', ['Content-Disposition:\tform-data; name="model"']],
    ['with a field of another name', [disposition, 'X-Model: b']],
    ['with control characters in another field', [disposition, 'Content-Type: text/\u0001plain']],
    ['empty', []],
  ])('%s is refused', (_, lines) => {
    expect(read(form(part(lines, 'a')))).toEqual(HEADER)
  })

  test('that is longer than 4096 bytes is refused', () => {
    const type = `Content-Type: text/${'x'.repeat(4100)}`
    expect(read(form(part([disposition, type], 'a')))).toEqual(HEADER)
  })

  test('that never ends is refused', () => {
    expect(read(`--x\r\n${disposition}\r\n--x--\r\n`)).toEqual(HEADER)
  })

  test('without content and without a line break before the boundary is refused', () => {
    expect(read(`--x\r\n${disposition}\r\n\r\n--x--\r\n`)).toEqual(HEADER)
  })
})

describe('a body that parsers cut differently', () => {
  const whole = form(field('model', 'a'))
  test.each([
    ['a preamble', `preamble\r\n${whole}`],
    ['an empty line before it', `\r\n${whole}`],
    ['an epilogue', `${whole}epilogue`],
    ['a second form behind it', `${whole}${form(field('model', 'b'))}`],
    ['bare LFs', whole.replaceAll('\r\n', '\n')],
    ['a bare LF behind the first boundary', whole.replace('--x\r\n', '--x\n')],
    ['a blank behind a boundary', whole.replace('--x\r\n', '--x \r\n')],
    ['a tab behind the last boundary', whole.replace('--x--', '--x--\t')],
    ['a longer boundary in between', form(file('RIFF\r\n--xyz'), field('model', 'a'))],
    ['one dash behind a boundary', form(file('RIFF\r\n--x-'), field('model', 'a'))],
    ['no end', whole.replace('--x--\r\n', '')],
    ['half an end', whole.replace('--x--\r\n', '--x')],
    ['nothing', ''],
    ['another boundary', form(field('model', 'a')).replaceAll('--x', '--y')],
  ])('%s is refused', (_, body) => {
    expect(read(body)).toEqual(BODY)
  })
})

describe("against a model of Go's parser, which llama-swap uses", () => {
  const PIECES = [
    '--x',
    '--x--',
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    '-',
    '--',
    ';',
    '"',
    '=',
    'a',
    'allowed',
    'FORBIDDE=4E',
    'b=\r\nc',
    'Content-Disposition: form-data; name="model"',
    'Content-Disposition: form-data; name="other"',
    'content-disposition: form-data',
    '; name="model"',
    '; name="mod\\el"',
    '; filename="f"',
    '; filename=""',
    '; filename="\\""',
    'Content-Transfer-Encoding: quoted-printable',
    'Content-Transfer-Encoding: 8bit',
    'Content-Type: text/plain',
    'X-Y: z',
  ]
  const wellFormedPart = fc
    .tuple(
      fc.constantFrom('model', 'model', 'other', 'Model'),
      fc.constantFrom([], ['; filename="f"'], ['; filename=""']),
      fc.subarray([
        'Content-Type: text/plain',
        'Content-Transfer-Encoding: quoted-printable',
        'Content-Transfer-Encoding: 8bit',
      ]),
      fc.constantFrom('allowed', '', 'FORBIDDE=4E', 'a\r\nb', 'x\r\n--y', '--x', 'b \r\nc'),
    )
    .map(([name, filename, others, content]) => [
      '--x',
      '\r\n',
      `Content-Disposition: form-data; name="${name}"`,
      ...filename,
      ...others.flatMap((line) => ['\r\n', line]),
      '\r\n',
      '\r\n',
      content,
      '\r\n',
    ])
  const tokens = fc
    .array(wellFormedPart, { minLength: 1, maxLength: 3 })
    .map((parts) => [...parts.flat(), '--x', '--', '\r\n'])
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.constantFrom(0, 1),
    insert: fc.constantFrom(undefined, ...PIECES),
  })
  const anyForm = fc.tuple(tokens, fc.array(edit, { maxLength: 3 })).map(([whole, edits]) => {
    const left = [...whole]
    for (const { at, remove, insert } of edits)
      left.splice(at % (left.length + 1), remove, ...(insert === undefined ? [] : [insert]))
    return left.join('')
  })

  test('what is accepted here means the same there', () => {
    fc.assert(
      fc.property(anyForm, (body) => {
        const here = read(body)
        fc.pre(here.ok)
        const there = readFormLikeGo(encoder.encode(body), 'x')
        const { values = [], files = [] } = there ?? {}
        expect({
          isRead: there !== undefined,
          models: values.filter(([name]) => name === 'model').map(([, value]) => value),
          files: files.filter((name) => name === 'model'),
        }).toEqual({
          isRead: true,
          models: here.value === undefined ? [] : [here.value],
          files: [],
        })
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['quoted-printable', 'Content-Transfer-Encoding: quoted-printable\r\n\r\nFORBIDDE=4E'],
    ['a folded name', 'X-Y: z\r\n\r\nallowed', ';\r\n name="model"'],
  ])(
    'the model itself reads what a careless check would not: %s',
    (_, rest, name = '; name="model"') => {
      const body = `preamble\r\n--x \r\nContent-Disposition: form-data${name}\r\n${rest}\r\n--x--`
      const value = rest.includes('=') ? 'FORBIDDEN' : 'allowed'
      expect(readFormLikeGo(encoder.encode(body), 'x')).toEqual({
        values: [['model', value]],
        files: [],
      })
    },
  )
})
