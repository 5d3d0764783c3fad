import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  allowsModel,
  idIn,
  isKnown,
  isOpenChoice,
  mergeNames,
  NO_NAMES,
  type ModelNames,
} from '../../../src/llama-swap/model-names.ts'

type Written = {
  ids?: string[]
  aliases?: Record<string, string>
  selectors?: Record<string, string[]>
  pins?: Record<string, string[]>
}

function namesOf({ ids = [], aliases = {}, selectors = {}, pins = {} }: Written): ModelNames {
  return {
    ids: new Set(ids),
    aliases: new Map(Object.entries(aliases)),
    selectors: new Map(Object.entries(selectors)),
    pins: new Map(Object.entries(pins)),
  }
}

const BOX = namesOf({
  ids: ['gpt-oss-120b', 'qwen3-coder', 'qwen3-chat', 'cloud/big', 'fast'],
  aliases: { coder: 'qwen3-coder', 'qwen3-secretly-gpt': 'gpt-oss-120b', big: 'cloud/big' },
  selectors: { fast: ['coder', 'qwen3-chat'] },
})

function allowed(list: string[], name: string): boolean {
  return allowsModel(list, name, BOX)
}

function pinned(pins: Record<string, string[]>): ModelNames {
  return mergeNames(BOX, namesOf({ pins }))
}

test('the id behind a name is the name itself, what an alias stands for, or the name that nobody knows', () => {
  const names = namesOf({ ids: ['a', 'b'], aliases: { b: 'a', x: 'a' }, selectors: { s: ['a'] } })
  const asked = ['a', 'b', 'x', 's', 'nobody']
  expect(asked.map((name) => idIn(names, name))).toEqual(['a', 'b', 'a', 's', 'nobody'])
})

test('an open choice is a selector or a name that a profile may pin', () => {
  const names = namesOf({
    ids: ['a', 'fast'],
    aliases: { x: 'a' },
    selectors: { fast: ['a'] },
    pins: { pinned: ['a'] },
  })
  const open = ['a', 'fast', 'x', 'pinned', 'nobody'].filter((name) => isOpenChoice(names, name))
  expect(open).toEqual(['fast', 'pinned'])
})

describe('a list with *', () => {
  test('allows every name, known or not', () => {
    expect([allowsModel(['*'], 'coder', BOX), allowsModel(['x', '*'], 'new', NO_NAMES)]).toEqual([
      true,
      true,
    ])
  })
})

describe('a list of names', () => {
  test('that is empty allows nothing', () => {
    expect(allowed([], 'gpt-oss-120b')).toBe(false)
  })

  test('allows the ids it holds, by their aliases, too', () => {
    const list = ['qwen3-coder']
    expect(
      ['qwen3-coder', 'coder', 'qwen3-chat', 'gpt-oss-120b'].map((n) => allowed(list, n)),
    ).toEqual([true, true, false, false])
  })

  test('that holds an alias allows the model behind it, by all of its names', () => {
    const list = ['coder']
    expect(['qwen3-coder', 'coder', 'qwen3-chat'].map((n) => allowed(list, n))).toEqual([
      true,
      true,
      false,
    ])
  })

  test('knows a model of a peer by both of its names', () => {
    expect(['cloud/big', 'big'].map((name) => allowed(['cloud/big'], name))).toEqual([true, true])
  })

  test('is compared letter by letter', () => {
    expect(
      ['GPT-OSS-120B', 'gpt-oss-120b ', 'gpt-oss-120'].map((n) => allowed(['gpt-oss-120b'], n)),
    ).toEqual([false, false, false])
  })

  test('allows a name that nobody knows only when it holds that name', () => {
    expect([allowed(['new'], 'new'), allowed(['new*'], 'new'), allowed(['old'], 'new')]).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('a pattern', () => {
  test.each([
    ['qwen3-*', 'qwen3-coder', true],
    ['qwen3-*', 'qwen3-', false],
    ['*coder', 'qwen3-coder', true],
    ['*-*-*', 'gpt-oss-120b', true],
    ['cloud/*', 'cloud/big', true],
    ['qwen3-*', 'gpt-oss-120b', false],
    ['wen3*', 'qwen3-coder', false],
    ['qwen3.*', 'qwen3-coder', false],
    ['qwen3-code', 'qwen3-coder', false],
  ])('%s and the id %s: %s', (pattern, id, isAllowed) => {
    expect(allowed([pattern], id)).toBe(isAllowed)
  })

  test('takes every other sign literally', () => {
    const names = namesOf({ ids: ['a.b', 'axb', 'a+b', '(a)', 'a|c', 'a\nb'] })
    const matches = (list: string[]): string[] =>
      [...names.ids].filter((id) => allowsModel(list, id, names))
    expect([
      matches(['a.*']),
      matches(['a+*']),
      matches(['(*)']),
      matches(['*|*']),
      matches(['a*b']),
    ]).toEqual([['a.b'], ['a+b'], ['(a)'], ['a|c'], ['a.b', 'axb', 'a+b', 'a\nb']])
  })

  test('matches the id behind an alias, never the alias', () => {
    expect([allowed(['qwen3-*'], 'coder'), allowed(['qwen3-*'], 'qwen3-secretly-gpt')]).toEqual([
      true,
      false,
    ])
  })

  test('never matches a selector by its own name', () => {
    expect(allowed(['fa*'], 'fast')).toBe(false)
  })
})

describe('a selector', () => {
  test('needs all of its targets', () => {
    const lists = [['qwen3-*'], ['qwen3-coder', 'qwen3-chat'], ['coder'], ['qwen3-chat']]
    expect(lists.map((list) => allowsModel(list, 'fast', BOX))).toEqual([true, true, false, false])
  })

  test('may be named by the list in place of its targets, which stay closed by themselves', () => {
    const names = ['fast', 'coder', 'qwen3-chat']
    expect(names.map((name) => allowsModel(['fast'], name, BOX))).toEqual([true, false, false])
  })

  test('without known targets is open only by its own name', () => {
    const names = namesOf({ ids: ['fast'], selectors: { fast: [] } })
    expect([['fast'], ['fa*'], ['other']].map((list) => allowsModel(list, 'fast', names))).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('a pin of a profile', () => {
  test('needs what it may put in place, besides the model itself', () => {
    const names = pinned({ 'qwen3-coder': ['gpt-oss-120b'] })
    expect([
      allowsModel(['qwen3-*'], 'qwen3-coder', names),
      allowsModel(['qwen3-*', 'gpt-oss-120b'], 'qwen3-coder', names),
      allowsModel(['gpt-oss-120b'], 'qwen3-coder', names),
      allowsModel(['qwen3-*'], 'qwen3-chat', names),
    ]).toEqual([false, true, false, true])
  })

  test('on an alias counts for the alias', () => {
    const names = pinned({ coder: ['gpt-oss-120b'] })
    expect([
      allowsModel(['qwen3-*'], 'coder', names),
      allowsModel(['qwen3-*'], 'qwen3-coder', names),
    ]).toEqual([false, true])
  })

  test('on a selector counts even when the list names the selector', () => {
    const names = pinned({ fast: ['gpt-oss-120b'] })
    expect([
      allowsModel(['fast'], 'fast', names),
      allowsModel(['fast', 'gpt-oss-120b'], 'fast', names),
    ]).toEqual([false, true])
  })

  test('on a name of its own makes the name known', () => {
    const names = pinned({ default: ['qwen3-chat', 'gpt-oss-120b'] })
    const lists = [['default'], ['qwen3-*'], ['qwen3-*', 'gpt-oss-120b']]
    expect(lists.map((list) => allowsModel(list, 'default', names))).toEqual([false, false, true])
    expect(isKnown(names, 'default')).toBe(true)
  })

  test('to a selector needs the targets of the selector', () => {
    const names = pinned({ 'gpt-oss-120b': ['fast'] })
    expect([
      allowsModel(['gpt-oss-120b'], 'gpt-oss-120b', names),
      allowsModel(['gpt-oss-120b', 'qwen3-*'], 'gpt-oss-120b', names),
      allowsModel(['gpt-oss-120b', 'fast'], 'gpt-oss-120b', names),
    ]).toEqual([false, true, true])
  })
})

describe('names that lead in circles', () => {
  test('end nowhere and are refused', () => {
    const names = namesOf({
      ids: ['a'],
      aliases: { x: 'y', y: 'x' },
      selectors: { s: ['t'], t: ['s'] },
    })
    expect(['x', 'y', 's'].map((name) => allowsModel(['a', 'b*'], name, names))).toEqual([
      false,
      false,
      false,
    ])
  })

  test('do not hide the models on their way', () => {
    const names = namesOf({ ids: ['a', 'b'], pins: { a: ['b'], b: ['a'] } })
    expect([allowsModel(['a'], 'a', names), allowsModel(['a', 'b'], 'a', names)]).toEqual([
      false,
      true,
    ])
  })
})

describe('two sources as one', () => {
  test('know what either knows', () => {
    const merged = mergeNames(
      namesOf({ ids: ['a'], aliases: { x: 'a' }, selectors: { s: ['a'] }, pins: { a: ['b'] } }),
      namesOf({ ids: ['b'], aliases: { y: 'b' }, selectors: { t: ['b'] }, pins: { b: ['a'] } }),
    )
    expect(merged).toEqual(
      namesOf({
        ids: ['a', 'b'],
        aliases: { x: 'a', y: 'b' },
        selectors: { s: ['a'], t: ['b'] },
        pins: { a: ['b'], b: ['a'] },
      }),
    )
  })

  test('follow the first where they differ on a name', () => {
    const merged = mergeNames(
      namesOf({ aliases: { x: 'a' }, selectors: { s: ['a'] }, pins: { p: ['a'] } }),
      namesOf({ aliases: { x: 'b' }, selectors: { s: ['b'] }, pins: { p: ['b'] } }),
    )
    expect(merged).toEqual(
      namesOf({ aliases: { x: 'a' }, selectors: { s: ['a'] }, pins: { p: ['a'] } }),
    )
  })

  test('count a name as both where one has a model and the other an alias', () => {
    const merged = mergeNames(namesOf({ ids: ['x', 'a'] }), namesOf({ aliases: { x: 'a' } }))
    const lists = [['a'], ['a', 'x'], ['x']]
    expect(lists.map((list) => allowsModel(list, 'x', merged))).toEqual([false, true, true])
  })

  test('leave the sources as they were', () => {
    mergeNames(BOX, namesOf({ ids: ['new'], aliases: { new2: 'new' } }))
    expect([BOX.ids.has('new'), BOX.aliases.has('new2')]).toEqual([false, false])
  })
})

/** What llama-swap does with a name: one pin of the active profile, then a selector, then an alias. */
function modelsBehind(names: ModelNames, asked: string, granted: readonly string[]): string[] {
  const starts = [asked, ...(names.pins.get(asked) ?? [])]
  const chosen = starts.flatMap((next) =>
    granted.includes(next) && names.selectors.has(next)
      ? []
      : (names.selectors.get(next) ?? [next]),
  )
  return chosen
    .map((next) => (names.ids.has(next) ? next : (names.aliases.get(next) ?? next)))
    .filter((next) => names.ids.has(next))
}

function isGranted(names: ModelNames, model: string, granted: readonly string[]): boolean {
  return granted.some((given) => {
    const [start, end] = given.split('*')
    if (end === undefined) return given === model || names.aliases.get(given) === model
    return model.startsWith(start!) && model.endsWith(end)
  })
}

describe('in every box that could be configured', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'ab')
  const alias = fc.constantFrom('x', 'y', 'ax')
  const selector = fc.constantFrom('s', 'as')
  const target = fc.oneof(id, alias)
  const box = fc
    .record({
      ids: fc.uniqueArray(id),
      aliases: fc.dictionary(alias, id),
      selectors: fc.dictionary(selector, fc.array(target, { maxLength: 3 })),
      pins: fc.dictionary(
        fc.oneof(id, alias, selector, fc.constant('p')),
        fc.array(fc.oneof(target, selector), { maxLength: 2 }),
      ),
    })
    .map(namesOf)
  const entry = fc.oneof(id, alias, selector, fc.constantFrom('p', 'a*', '*b', 'x*', 's*'))
  const list = fc.array(entry, { maxLength: 4 })
  const name = fc.oneof(id, alias, selector, fc.constantFrom('p', 'unknown'))

  test('no alias, selector or pin reaches a model that the list does not allow', () => {
    fc.assert(
      fc.property(box, list, name, (names, granted, asked) => {
        if (!allowsModel(granted, asked, names)) return
        const behind = modelsBehind(names, asked, granted)
        expect(behind.filter((model) => !isGranted(names, model, granted))).toEqual([])
      }),
      { numRuns: 5000 },
    )
  })

  test('a plain model that the list holds may be used', () => {
    fc.assert(
      fc.property(box, list, id, (names, granted, model) => {
        fc.pre(names.ids.has(model) && !names.pins.has(model))
        expect(allowsModel([...granted, model], model, names)).toBe(true)
      }),
    )
  })

  test('a longer list never allows less', () => {
    fc.assert(
      fc.property(box, fc.tuple(list, entry), name, (names, [granted, more], asked) => {
        fc.pre(allowsModel(granted, asked, names))
        expect(allowsModel([...granted, more], asked, names)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})
