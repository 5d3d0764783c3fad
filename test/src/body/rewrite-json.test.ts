import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withMembers, type MemberChange } from '../../../src/body/rewrite-json.ts'
import { scanJsonObject, type Span } from '../../../src/body/scan-json.ts'
import { objectText, valueText } from './json-text.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function membersOf(body: Uint8Array): ReadonlyMap<string, Span> {
  const scan = scanJsonObject(body)
  if (!scan.ok) throw new Error(`${scan.problem} at ${scan.at}`)
  return scan.members
}

function rewrite(text: string, changes: readonly MemberChange[]): string {
  const body = encoder.encode(text)
  return decoder.decode(withMembers({ body, members: membersOf(body) }, changes))
}

/** The text of every member's value. */
function valuesOf(text: string): Map<string, string> {
  const body = encoder.encode(text)
  const members = [...membersOf(body)]
  return new Map(
    members.map(([name, { start, end }]) => [name, decoder.decode(body.subarray(start, end))]),
  )
}

describe('members of an object', () => {
  test.each<[string, MemberChange[], string]>([
    ['{"a":1,"b" : 2 }', [['b', '3']], '{"a":1,"b" : 3 }'],
    [' {"a":1}', [['b', '"x"']], ' {"b":"x","a":1}'],
    ['{ }', [['b', '3']], '{"b":3 }'],
    [
      '{"a":1,"b":2,"c":3}',
      [
        ['c', '{"x":[]}'],
        ['d', '4'],
        ['a', 'null'],
        ['e', '5'],
      ],
      '{"d":4,"e":5,"a":null,"b":2,"c":{"x":[]}}',
    ],
    ['{}', [['"', '1']], String.raw`{"\"":1}`],
    [String.raw`{"\u0061":1}`, [['a', '2']], String.raw`{"\u0061":2}`],
    ['{"ü":"🌍","a":1}', [['a', '2']], '{"ü":"🌍","a":2}'],
    ['{"b":{"a":1},"a":1}', [['a', '2']], '{"b":{"a":1},"a":2}'],
  ])('%s with %j is %s', (text, changes, rewritten) => {
    expect(rewrite(text, changes)).toBe(rewritten)
  })

  test('without a change pass themselves', () => {
    const body = encoder.encode('{"a":1}')
    expect(withMembers({ body, members: membersOf(body) }, [])).toBe(body)
  })

  test('are afterwards exactly those that were asked for, and all others as they were', () => {
    const change = fc.tuple(fc.string(), valueText)
    fc.assert(
      fc.property(
        objectText,
        fc.uniqueArray(change, { selector: ([name]) => name, maxLength: 4 }),
        fc.nat(),
        ({ text, members }, changes, pick) => {
          const names = members.map(({ name }) => String(JSON.parse(name)))
          fc.pre(new Set(names).size === names.length)
          const replaced = names.at(pick % Math.max(1, names.length))
          const others = changes.filter(([name]) => name !== replaced)
          const all: MemberChange[] =
            replaced === undefined ? others : [...others, [replaced, '"new"']]

          expect(valuesOf(rewrite(text, all))).toEqual(new Map([...valuesOf(text), ...all]))
        },
      ),
    )
  })

  test('with the values that they have already leave every byte as it was', () => {
    fc.assert(
      fc.property(objectText, ({ text, members }) => {
        const names = members.map(({ name }) => String(JSON.parse(name)))
        fc.pre(new Set(names).size === names.length)
        expect(rewrite(text, [...valuesOf(text)])).toBe(text)
      }),
    )
  })
})
