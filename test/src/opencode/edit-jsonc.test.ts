import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changeJsonc } from '../../../src/opencode/edit-jsonc.ts'
import { readJsonc } from '../../../src/opencode/jsonc.ts'

const COMMENTED = `// mine
{
    /* theme */ "theme": "dark", // nice
    "provider": {
        "other": { "npm": "x" } // theirs
        // more to come
    },
}
`

describe('a change of JSON with comments', () => {
  test('puts a new field below the last one and its comment', () => {
    expect(changeJsonc(COMMENTED, [{ path: ['provider', 'mine', 'npm'], value: 'y' }]))
      .toBe(`// mine
{
    /* theme */ "theme": "dark", // nice
    "provider": {
        "other": { "npm": "x" }, // theirs
        "mine": { "npm": "y" }
        // more to come
    },
}
`)
  })

  test('keeps a trailing comma where there was one', () => {
    expect(changeJsonc(COMMENTED, [{ path: ['model'], value: 'm' }])).toBe(
      COMMENTED.replace('    },\n}', '    },\n    "model": "m",\n}'),
    )
  })

  test('replaces a value and leaves the rest of the line', () => {
    expect(changeJsonc(COMMENTED, [{ path: ['theme'], value: 'light' }])).toBe(
      COMMENTED.replace('"dark"', '"light"'),
    )
  })

  test('keeps an object on its line', () => {
    const text = '{ "limit": { "context": 1, "output": 2 } }'
    expect(changeJsonc(text, [{ path: ['limit', 'input'], value: 1 }])).toBe(
      '{ "limit": { "context": 1, "output": 2, "input": 1 } }',
    )
    expect(changeJsonc('{ "a": 1, }', [{ path: ['b'], value: 2 }])).toBe('{ "a": 1, "b": 2, }')
  })

  test.each([
    ['the only field', '{ "a": 1 }', ['a'], '{ }'],
    ['the first field', '{ "a": 1, "b": 2 }', ['a'], '{ "b": 2 }'],
    ['the last field', '{ "a": 1, "b": 2 }', ['b'], '{ "a": 1 }'],
    [
      'a line',
      '{\n  "a": 1,\n  "b": 2, // b\n  "c": 3\n}',
      ['a'],
      '{\n  "b": 2, // b\n  "c": 3\n}',
    ],
    ['the last line', '{\n  "a": 1, // a\n  "b": 2\n}', ['b'], '{\n  "a": 1 // a\n}'],
    [
      'a field before a comment',
      '{\n  "a": 1 /* a */,\n  "b": 2\n}',
      ['a'],
      '{\n  /* a */\n  "b": 2\n}',
    ],
    ['what is not there', '{ "a": 1 }', ['b', 'c'], '{ "a": 1 }'],
  ])('takes out %s', (_, ...[text, path, changed]) => {
    expect(changeJsonc(text, [{ path, value: undefined }])).toBe(changed)
  })

  test('keeps line ends and tabs', () => {
    expect(
      changeJsonc('{\r\n\t"a": {}\r\n}\r\n', [{ path: ['a', 'b'], value: { c: { d: 1 } } }]),
    ).toBe('{\r\n\t"a": {\r\n\t\t"b": {\r\n\t\t\t"c": { "d": 1 }\r\n\t\t}\r\n\t}\r\n}\r\n')
  })

  test('keeps a comment in an empty object', () => {
    expect(changeJsonc('{\n  // nothing yet\n}', [{ path: ['a'], value: 1 }])).toBe(
      '{\n  // nothing yet\n  "a": 1\n}',
    )
  })

  test('changes the field that counts where there are two of a name', () => {
    expect(changeJsonc('{ "a": 1, "a": 2 }', [{ path: ['a'], value: 3 }])).toBe(
      '{ "a": 1, "a": 3 }',
    )
  })

  test('cannot put a field into what is no object', () => {
    expect(() => changeJsonc('{ "a": [] }', [{ path: ['a', 'b'], value: 1 }])).toThrow(
      'b cannot be set: it is not in an object',
    )
  })

  const layouts = fc.constantFrom(
    (value: unknown) => JSON.stringify(value),
    (value: unknown) => JSON.stringify(value, null, 2),
    (value: unknown) => JSON.stringify(value, null, '\t').replaceAll('\n', '\r\n'),
    (value: unknown) => JSON.stringify(value, null, 1).replaceAll('\n', ' // "," }\n'),
    (value: unknown) =>
      JSON.stringify(value, null, 1).replaceAll(/([^,{[])\n( *)\}/g, '$1,\n$2}/* { */'),
  )
  const names = fc.constantFrom('a', 'b', '__proto__', 'x y', '"')
  const objects = fc.dictionary(
    names,
    fc.dictionary(names, fc.oneof(fc.integer(), fc.string(), fc.constant([1]))),
  )

  const changes = fc.record({
    object: objects,
    layout: layouts,
    path: fc.tuple(names, names),
    value: fc.option(fc.integer(), { nil: undefined }),
  })

  test('is read back as what was set, and changes nothing else', () => {
    fc.assert(
      fc.property(changes, ({ object, layout, path, value }) => {
        const changed = changeJsonc(layout(object), [{ path, value }])
        const read = readJsonc(changed)
        expect(read.ok && JSON.stringify(read.value)).toBe(
          JSON.stringify(withChange(object, path, value)),
        )
        // A second time there is nothing to do.
        expect(changeJsonc(changed, [{ path, value }])).toBe(changed)
      }),
      { numRuns: 500 },
    )
  })
})

type Nested = Record<string, Record<string, unknown>>

/** The same change on plain values. */
function withChange(object: Nested, [outer, inner]: [string, string], value: unknown): Nested {
  const parts = new Map(
    Object.entries(object).map(([name, part]) => [name, new Map(Object.entries(part))]),
  )
  const part = parts.get(outer) ?? new Map<string, unknown>()
  if (value === undefined) part.delete(inner)
  else parts.set(outer, part.set(inner, value))
  return Object.fromEntries([...parts].map(([name, fields]) => [name, Object.fromEntries(fields)]))
}
