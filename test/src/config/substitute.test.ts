import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  showPath,
  substitute,
  type ConfigProblem,
  type Sources,
} from '../../../src/config/substitute.ts'

const SOURCES: Sources = {
  env: { KEY: 'sk-1', PORT_NUMBER: '3000', OFF: 'false', ON: 'true', EMPTY: '', LIKE: '{env:KEY}' },
  readFile: (path) => {
    if (path === './key.txt') return '  sk-from-file\n'
    if (path === './number') return '42\n'
    if (path === './blank') return ' \n'
    throw new Error('ENOENT: no such file')
  },
}

function filled(
  value: unknown,
  sources: Sources = SOURCES,
): { value: unknown; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = []
  return { value: substitute(value, sources, problems), problems }
}

describe('{env:NAME}', () => {
  test('is replaced at every depth, lists included', () => {
    expect(
      filled({ upstream: { apiKey: '{env:KEY}' }, keys: ['{env:KEY}', { secret: '{env:KEY}' }] }),
    ).toEqual({
      value: { upstream: { apiKey: 'sk-1' }, keys: ['sk-1', { secret: 'sk-1' }] },
      problems: [],
    })
  })

  test.each(['EMPTY', 'MISSING', 'toString'])('of %s, which is not set, is a problem', (name) => {
    expect(filled({ upstream: { apiKey: `{env:${name}}` } })).toEqual({
      value: { upstream: { apiKey: undefined } },
      problems: [
        {
          path: ['upstream', 'apiKey'],
          message: `the environment variable ${name} is not set; set it, or remove this entry`,
        },
      ],
    })
  })

  test('is replaced once: a value that looks like it stays as it is', () => {
    expect(filled({ id: '{env:LIKE}' }).value).toEqual({ id: '{env:KEY}' })
  })

  test.each([
    'Bearer {env:KEY}',
    '{env:KEY} ',
    '{env:}',
    '{ENV:KEY}',
    '{env:{env:KEY}}',
    '{env:KEY',
  ])('%j is not wholly that, and stays as it is', (text) => {
    expect(filled({ id: text })).toEqual({ value: { id: text }, problems: [] })
  })
})

describe('{file:path}', () => {
  test('is the text of the file without the blanks around it', () => {
    expect(filled({ secret: '{file:./key.txt}' })).toEqual({
      value: { secret: 'sk-from-file' },
      problems: [],
    })
  })

  test('of a file that cannot be read is a problem with the reason', () => {
    expect(filled({ keys: [{ secret: '{file:./gone}' }] })).toEqual({
      value: { keys: [{ secret: undefined }] },
      problems: [
        {
          path: ['keys', 0, 'secret'],
          message: 'the file ./gone cannot be read: ENOENT: no such file',
        },
      ],
    })
  })

  test('of an empty file is a problem, not an empty key', () => {
    expect(filled({ secret: '{file:./blank}' })).toEqual({
      value: { secret: undefined },
      problems: [{ path: ['secret'], message: 'the file ./blank is empty' }],
    })
  })

  test('is a problem where there are no files', () => {
    expect(filled({ secret: '{file:./x}' }, { env: {}, readFile: undefined }).problems).toEqual([
      { path: ['secret'], message: '{file:…} is not available here; use {env:…}' },
    ])
  })
})

describe('what comes out of the environment as text', () => {
  test('becomes a number or a truth value where it looks like one', () => {
    expect(
      filled({
        listen: { port: '{env:PORT_NUMBER}' },
        body: { maxBytes: '{file:./number}' },
        keys: [{ disabled: '{env:OFF}' }, { disabled: '{env:ON}' }],
      }),
    ).toEqual({
      value: {
        listen: { port: 3000 },
        body: { maxBytes: 42 },
        keys: [{ disabled: false }, { disabled: true }],
      },
      problems: [],
    })
  })

  test('stays text where text belongs: secrets, ids, addresses, header values, list items', () => {
    const number = '{env:PORT_NUMBER}'
    expect(
      filled({
        listen: { host: number },
        publicUrl: number,
        upstream: { url: number, apiKey: number, configFile: number, headers: { 'x-n': number } },
        keys: [number, { id: number, secret: number, models: [number] }],
      }).value,
    ).toEqual({
      listen: { host: '3000' },
      publicUrl: '3000',
      upstream: { url: '3000', apiKey: '3000', configFile: '3000', headers: { 'x-n': '3000' } },
      keys: ['3000', { id: '3000', secret: '3000', models: ['3000'] }],
    })
  })
})

test('everything else stays as it is, and nothing throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      fc.pre(!JSON.stringify(value).includes('{env:'))
      expect(filled(value)).toEqual({ value, problems: [] })
    }),
  )
})

test('several problems are told together', () => {
  const { problems } = filled({ a: '{env:A}', b: ['x', '{env:B}'] })
  expect(problems.map(({ path }) => showPath(path))).toEqual(['a', 'b[1]'])
})

test('a path is shown as people write it', () => {
  expect(
    [[], ['keys'], ['keys', 0, 'secret'], ['upstream', 'headers', 'x-a']].map(showPath),
  ).toEqual(['', 'keys', 'keys[0].secret', 'upstream.headers.x-a'])
})
