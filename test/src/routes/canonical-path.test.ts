import { posix } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalTarget } from '../../../src/routes/canonical-path.ts'

const BAD_PATH = { ok: false, problem: 'path' } as const
const BAD_HOST = { ok: false, problem: 'host' } as const

function read(path: string): ReturnType<typeof canonicalTarget> {
  return canonicalTarget(`http://gate:3000${path}`, 'gate:3000', path)
}

describe('an address in its canonical form', () => {
  test('is given back as path, query and host', () => {
    expect(read('/v1/models?model=a%2Fb&x=//..')).toEqual({
      ok: true,
      target: { path: '/v1/models', search: '?model=a%2Fb&x=//..', host: 'gate:3000' },
    })
  })

  test.each([
    '/',
    '/v1/models/',
    '/upstream/org/model.gguf/v1/x',
    "/a-._~!$&'()*+,;=:@b",
    '/.well-known/x',
    '/...',
    '/a..b',
  ])('%s passes unchanged', (path) => {
    expect(read(path)).toEqual({ ok: true, target: { path, search: '', host: 'gate:3000' } })
  })

  test('may have been written as an absolute-form target (RFC 9112 §3.2)', () => {
    expect(
      canonicalTarget('http://gate/v1/models?a', 'gate', 'http://other:80/v1/models?a'),
    ).toEqual({ ok: true, target: { path: '/v1/models', search: '?a', host: 'gate' } })
  })

  test('has the path / when the absolute form has none', () => {
    expect(canonicalTarget('http://gate/', undefined, 'http://gate')).toEqual({
      ok: true,
      target: { path: '/', search: '', host: 'gate' },
    })
  })

  test('needs neither a Host field nor a raw target from the runtime', () => {
    expect(canonicalTarget('https://[::1]:3000/v1/models', undefined, undefined)).toEqual({
      ok: true,
      target: { path: '/v1/models', search: '', host: '[::1]:3000' },
    })
  })
})

describe('a path that could mean another path is refused', () => {
  test.each([
    ['an encoded letter, which llama-swap decodes', '/%75nload'],
    ['an encoded first letter of a guarded path', '/%72unning'],
    ['an encoded slash', '/v1%2Fmodels'],
    ['an encoded backslash', '/v1%5cmodels'],
    ['an encoded dot segment', '/v1/%2e%2e/unload'],
    ['a half-encoded dot segment', '/v1/.%2E/unload'],
    ['a percent sign that encodes nothing', '/v1/%zz'],
    ['a double encoding', '/%2575nload'],
    ['an empty segment at the start', '//v1/chat/completions'],
    ['an empty segment inside', '/upstream//a/x'],
    ['a parent segment', '/upstream/a/../../unload'],
    ['a parent segment at the end', '/v1/models/..'],
    ['a dot segment', '/v1/./models'],
    ['a dot segment at the end', '/v1/models/.'],
    ['a backslash', '/v1\\..\\unload'],
    ['a tab, which URL parsers drop', '/un\tload'],
    ['a line break, which URL parsers drop', '/un\nload'],
    ['a trailing blank, which URL parsers drop', '/unload '],
    ['a NUL', '/unload\0'],
    ['a letter beyond ASCII', '/modèles'],
    ['a character that URL parsers encode', '/v1/"models"'],
    ['a pipe', '/v1|models'],
  ])('%s', (_why, path) => {
    expect(read(path)).toEqual(BAD_PATH)
  })

  test('also where the runtime had cleaned it up before we saw it', () => {
    expect(canonicalTarget('http://gate/unload', 'gate', '/v1/../unload')).toEqual(BAD_PATH)
    expect(canonicalTarget('http://gate/unload', 'gate', 'http://gate/v1/../unload')).toEqual(
      BAD_PATH,
    )
    expect(canonicalTarget('http://gate/', 'gate', '*')).toEqual(BAD_PATH)
  })

  test('also where the runtime had not cleaned it up and only our parser would', () => {
    expect(canonicalTarget('http://gate/v1/../unload', 'gate', undefined)).toEqual(BAD_PATH)
  })

  test('also where an empty authority would turn the first segment into the host', () => {
    expect(canonicalTarget('http:///upstream/unload', undefined, undefined)).toEqual(BAD_PATH)
  })
})

describe('a host that could choose the path is refused', () => {
  test.each(['', 'x y', 'a@b', 'x/guard/z?', 'x\\guard\\a?', 'gate:', 'gate:123456', 'ga#te', '['])(
    'Host: %j',
    (host) => {
      expect(canonicalTarget('http://gate/v1/models', host, '/v1/models')).toEqual(BAD_HOST)
    },
  )

  test.each([
    ['a relative URL, as Bun gives for a malformed Host', '/upstream/guard/x'],
    ['another scheme', 'ftp://gate/v1/models'],
    ['a URL that does not parse', 'http://gate:99999/v1/models'],
    ['user information', 'http://user:pass@gate/v1/models'],
    ['a user without password', 'http://user@gate/v1/models'],
    ['nothing', ''],
  ])('%s', (_why, url) => {
    expect(canonicalTarget(url, undefined, undefined)).toEqual(BAD_HOST)
  })

  test('a host that swallows the path when it is parsed', () => {
    expect(canonicalTarget('http://x\\guard\\a?/v1/models', undefined, undefined)).toEqual(BAD_PATH)
  })
})

function acceptedPath(result: ReturnType<typeof canonicalTarget>): string | undefined {
  return result.ok ? result.target.path : undefined
}

describe('whatever is accepted has one meaning', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '//',
      '.',
      '..',
      '/./',
      '/../',
      '\\',
      '%',
      '%2e',
      '%2F',
      '%5c',
      '%75',
      '%00',
      '%25',
      'v1',
      'unload',
      'upstream',
      'models',
      ';',
      ':',
      '@',
      '?',
      '#',
      '&',
      '=',
      '+',
      '~',
      '*',
      '\t',
      '\n',
      '\r',
      ' ',
      '\0',
      'é',
      '\u2028',
      '\u{1f600}',
      '\ud800',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
  )
  const written = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`)

  test('no accepted path changes when it is decoded, parsed or cleaned', () => {
    fc.assert(
      fc.property(written, (path) => {
        const accepted = acceptedPath(canonicalTarget(`http://gate${path}`, 'gate', undefined))
        if (accepted === undefined) return
        expect({
          decoded: decodeURIComponent(accepted),
          parsed: new URL(accepted, 'http://other').pathname,
          cleaned: posix.normalize(accepted),
          hasEscapes: accepted.includes('%'),
          written: path.startsWith(accepted),
        }).toEqual({
          decoded: accepted,
          parsed: accepted,
          cleaned: accepted,
          hasEscapes: false,
          written: true,
        })
      }),
      { numRuns: 2000 },
    )
  })

  test('every path of clean segments is accepted as it is', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_:@;,~-]{1,8}$/)
    fc.assert(
      fc.property(fc.array(segment), fc.boolean(), (segments, hasSlash) => {
        const path = `/${segments.join('/')}${hasSlash && segments.length > 0 ? '/' : ''}`
        expect(acceptedPath(read(path))).toBe(path)
      }),
    )
  })

  test('the path on the wire is the path that is routed', () => {
    fc.assert(
      fc.property(written, written, (path, rawTarget) => {
        const accepted = acceptedPath(canonicalTarget(`http://gate${path}`, 'gate', rawTarget))
        expect(accepted ?? rawTarget.split(/[?#]/)[0]).toBe(rawTarget.split(/[?#]/)[0])
      }),
    )
  })

  test('no URL, host or target throws', () => {
    const anything = fc.string({ unit: 'binary' })
    const url = fc.tuple(fc.constantFrom('', 'http://', 'https://', 'http:'), anything)
    fc.assert(
      fc.property(url, fc.option(anything), fc.option(anything), ([scheme, rest], host, raw) => {
        const result = canonicalTarget(scheme + rest, host ?? undefined, raw ?? undefined)
        expect([true, false]).toContain(result.ok)
      }),
    )
  })
})
