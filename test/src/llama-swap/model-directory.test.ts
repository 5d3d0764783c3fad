import { describe, expect, test } from 'vitest'
import type { Clock, Deps } from '../../../src/deps.ts'
import type { AskingFor } from '../../../src/llama-swap/ask.ts'
import {
  type KnownNames,
  createModelDirectory,
  type ModelDirectory,
} from '../../../src/llama-swap/model-directory.ts'
import { NO_MODEL_CONFIG, type ModelConfig } from '../../../src/llama-swap/model-config.ts'
import { NO_NAMES, type ModelNames } from '../../../src/llama-swap/model-names.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { FakeUpstream, jsonAnswer, type WholeAnswer } from '../../support/fake-upstream.ts'

type Box = {
  directory: ModelDirectory
  upstream: FakeUpstream
  clock: FakeClock
  /** What llama-swap answers from now on; undefined: nothing. */
  listing: WholeAnswer | undefined
  /** What the configuration file holds from now on. */
  configured: ModelNames | undefined
}

/** Asks so that a test can see for whom. */
function askingVia(upstream: FakeUpstream, clock: Clock): AskingFor {
  return (via) => ({ upstream, clock, headers: [['via', via ?? 'nobody']] })
}

function listingOf(...ids: string[]): WholeAnswer {
  return jsonAnswer({ object: 'list', data: ids.map((id) => ({ id })) })
}

function startBox(listing?: WholeAnswer, configured?: ModelNames): Box {
  const upstream = new FakeUpstream()
  const clock = fakeClock()
  const modelConfig: Deps['modelConfig'] = {
    read: async () => box.configured && { ...NO_MODEL_CONFIG, names: box.configured },
  }
  upstream.onCall = (call) => {
    if (box.listing) call.answer(box.listing)
  }
  const box: Box = {
    directory: createModelDirectory({ modelConfig, clock }, askingVia(upstream, clock)),
    upstream,
    clock,
    listing,
    configured,
  }
  return box
}

const ids = ({ names }: KnownNames): string[] => [...names.ids]

describe('the first question for a name', () => {
  test('asks llama-swap and reads its configuration', async () => {
    const configured = { ...NO_NAMES, ids: new Set(['hidden']), pins: new Map([['a', ['hidden']]]) }
    const box = startBox(listingOf('a'), configured)
    expect((await box.directory.namesFor('a', undefined)).names).toEqual({
      ids: new Set(['a', 'hidden']),
      aliases: new Map(),
      selectors: new Map(),
      pins: new Map([['a', ['hidden']]]),
    })
    expect(box.upstream.calls.map(({ request }) => request.target)).toEqual(['/v1/models'])
  })

  test('does with the listing alone where no configuration can be read', async () => {
    const box = startBox(listingOf('a'))
    expect(await box.directory.namesFor('a', undefined)).toEqual({
      names: { ...NO_NAMES, ids: new Set(['a']) },
      failure: undefined,
    })
  })

  test.each([
    ['answers an error', jsonAnswer({ error: 'no' }, 500)],
    ['answers no JSON', { body: 'OK' }],
  ])('does with the configuration alone where llama-swap %s', async (_what, listing) => {
    const box = startBox(listing, { ...NO_NAMES, ids: new Set(['a']) })
    expect(ids(await box.directory.namesFor('a', undefined))).toEqual(['a'])
  })

  test('knows nothing where there is neither', async () => {
    const box = startBox()
    box.upstream.onCall = (call) => call.failure('unreachable')
    expect(await box.directory.namesFor('a', undefined)).toEqual({
      names: NO_NAMES,
      failure: { kind: 'upstream-unreachable' },
    })
  })

  test('does not wait for ever', async () => {
    const box = startBox()
    const names = box.directory.namesFor('a', undefined)
    await box.clock.advance(10_000)
    expect(await names).toEqual({ names: NO_NAMES, failure: { kind: 'upstream-timeout' } })
    expect(box.upstream.last.aborts).toBe(1)
  })

  test('is asked once, however many requests are waiting for it', async () => {
    const box = startBox(listingOf('a'))
    const asked = await Promise.all(
      ['a', 'b', 'a'].map((name) => box.directory.namesFor(name, undefined)),
    )
    expect(asked.map(ids)).toEqual([['a'], ['a'], ['a']])
    expect(box.upstream.calls).toHaveLength(1)
  })
})

/** What a question is when its client left and the runtime dropped it: no answer, and no time-out. */
function startLost(): Box {
  const box = startBox()
  const lost: FakeClock = { ...box.clock, setTimer: () => () => {} }
  const asking = askingVia(box.upstream, lost)
  const modelConfig: Deps['modelConfig'] = { read: async () => undefined }
  box.directory = createModelDirectory({ modelConfig, clock: box.clock }, asking)
  void box.directory.namesFor('a', undefined)
  return box
}

describe('a question that another request asked', () => {
  test('is waited for two seconds, and then one of those who wait asks it anew', async () => {
    const box = startLost()
    const asked = Promise.all(
      ['a', 'b', 'a'].map((name) => box.directory.namesFor(name, undefined)),
    )
    await box.clock.advance(1999)
    expect(box.upstream.calls).toHaveLength(1)
    box.listing = listingOf('a')
    await box.clock.advance(1)
    expect(box.upstream.calls).toHaveLength(2)
    expect((await asked).map(ids)).toEqual([['a'], ['a'], ['a']])
  })

  test('is not waited for when that was two seconds ago', async () => {
    const box = startLost()
    await box.clock.advance(2000)
    box.listing = listingOf('a')
    expect(ids(await box.directory.namesFor('a', undefined))).toEqual(['a'])
    expect(box.upstream.calls).toHaveLength(2)
  })

  test('is asked anew as long as those who asked it are lost, too', async () => {
    const box = startLost()
    const [, , last] = ['a', 'b', 'c'].map((name) => box.directory.namesFor(name, undefined))
    await box.clock.advance(5999)
    expect(box.upstream.calls).toHaveLength(3)
    box.listing = listingOf('a')
    await box.clock.advance(1)
    expect(await last?.then(ids)).toEqual(['a'])
  })

  test('answers all that wait where it was only slow', async () => {
    const box = startBox()
    const asked = Promise.all(
      ['a', 'b', 'c'].map((name) => box.directory.namesFor(name, undefined)),
    )
    await box.clock.advance(5000)
    expect(box.upstream.calls).toHaveLength(3)
    box.upstream.calls[0]?.answer(listingOf('a'))
    expect((await asked).map(ids)).toEqual([['a'], ['a'], ['a']])
  })

  test('leaves nothing behind', async () => {
    const box = startLost()
    const asked = box.directory.namesFor('a', undefined)
    await box.clock.advance(1999)
    box.listing = listingOf('a')
    await box.clock.advance(1)
    await asked
    await box.clock.advance(30_001)
    await box.directory.namesFor('a', undefined)
    expect([box.upstream.calls.length, box.clock.pending()]).toEqual([3, 0])
  })
})

describe('where listing and file disagree', () => {
  test('the listing counts, because the file may not have been loaded yet', async () => {
    const listing = jsonAnswer({
      data: [{ id: 'a', meta: { llamaswap: { type: 'model', aliases: ['x'] } } }, { id: 'b' }],
    })
    const box = startBox(listing, { ...NO_NAMES, aliases: new Map([['x', 'b']]) })
    expect((await box.directory.namesFor('x', undefined)).names.aliases).toEqual(
      new Map([['x', 'a']]),
    )
  })
})

describe('what is known', () => {
  test('is good for thirty seconds for names that are known', async () => {
    const box = startBox(listingOf('a'))
    await box.directory.namesFor('a', undefined)
    box.listing = listingOf('a', 'b')
    await box.clock.advance(30_000)
    expect(ids(await box.directory.namesFor('a', undefined))).toEqual(['a'])
    await box.clock.advance(1)
    expect(ids(await box.directory.namesFor('a', undefined))).toEqual(['a', 'b'])
    expect(box.upstream.calls).toHaveLength(2)
  })

  test('is asked for again after two seconds for a name that is not', async () => {
    const box = startBox(listingOf('a'))
    await box.directory.namesFor('a', undefined)
    box.listing = listingOf('a', 'new')
    await box.clock.advance(2000)
    expect(ids(await box.directory.namesFor('new', undefined))).toEqual(['a'])
    await box.clock.advance(1)
    expect(ids(await box.directory.namesFor('new', undefined))).toEqual(['a', 'new'])
  })

  test('cannot be used to flood llama-swap with questions for names that do not exist', async () => {
    const box = startBox(listingOf('a'))
    for (let i = 0; i < 100; i++) {
      await box.directory.namesFor(`nonsense-${i}`, undefined)
      await box.clock.advance(100)
    }
    expect(box.upstream.calls.length).toBe(5)
  })

  test('is kept while llama-swap cannot be asked', async () => {
    const box = startBox(listingOf('a'))
    await box.directory.namesFor('a', undefined)
    box.listing = { status: 502 }
    await box.clock.advance(30_001)
    expect(ids(await box.directory.namesFor('a', undefined))).toEqual(['a'])
  })

  test('forgets a model that is gone', async () => {
    const box = startBox(listingOf('a', 'b'))
    await box.directory.namesFor('a', undefined)
    box.listing = listingOf('a')
    await box.clock.advance(30_001)
    expect(ids(await box.directory.namesFor('b', undefined))).toEqual(['a'])
  })

  test('is asked for again when the clock has jumped back', async () => {
    const later = startBox(listingOf('a'))
    await later.clock.advance(24 * 60 * 60 * 1000)
    const jump = { back: 0 }
    const clock = { ...later.clock, now: () => later.clock.now() - jump.back }
    const directory = createModelDirectory(
      { modelConfig: { read: async () => undefined }, clock },
      askingVia(later.upstream, clock),
    )
    await directory.namesFor('a', undefined)
    jump.back = 60 * 60 * 1000
    later.listing = listingOf('a', 'b')
    expect(ids(await directory.namesFor('b', undefined))).toEqual(['a', 'b'])
  })

  test('is renewed by a listing that was fetched for a client', async () => {
    const box = startBox(listingOf('a'))
    const learned = await box.directory.learn({ ...NO_NAMES, ids: new Set(['b']) })
    expect([...learned.ids]).toEqual(['b'])
    expect(ids(await box.directory.namesFor('b', undefined))).toEqual(['b'])
    expect(box.upstream.calls).toEqual([])
  })
})

describe('the model behind a name', () => {
  const ALIASED = jsonAnswer({
    data: [{ id: 'a', meta: { llamaswap: { type: 'model', aliases: ['x'] } } }, { id: 'b' }],
  })

  test('is the name itself, what an alias stands for, or the name that nobody knows', async () => {
    const { directory } = startBox(ALIASED)
    const found = await Promise.all(
      ['a', 'x', 'b', 'nobody'].map((name) => directory.idOf(name, undefined)),
    )
    expect(found).toEqual(['a', 'a', 'b', 'nobody'])
  })

  test('is a model before it is an alias of the same name', async () => {
    const { directory } = startBox(ALIASED, { ...NO_NAMES, aliases: new Map([['b', 'a']]) })
    expect(await directory.idOf('b', undefined)).toBe('b')
  })

  test('is told from what is known, however old, and asked for meanwhile', async () => {
    const box = startBox(ALIASED)
    await box.directory.idOf('x', undefined)
    await box.clock.advance(30_001)
    box.upstream.onCall = undefined
    expect(await box.directory.idOf('x', undefined)).toBe('a')
    expect(box.upstream.calls).toHaveLength(2)
  })

  test('is not asked for again while what is known is fresh', async () => {
    const box = startBox(ALIASED)
    await box.directory.idOf('x', undefined)
    await box.clock.advance(30_000)
    await box.directory.idOf('x', undefined)
    expect(box.upstream.calls).toHaveLength(1)
  })

  test('is asked for when nobody knows the name, at most every two seconds', async () => {
    const box = startBox(listingOf('a'))
    await box.directory.idOf('a', undefined)
    box.listing = ALIASED
    await box.clock.advance(2000)
    expect(await box.directory.idOf('x', undefined)).toBe('x')
    await box.clock.advance(1)
    expect(await box.directory.idOf('x', undefined)).toBe('a')
    expect(box.upstream.calls).toHaveLength(2)
  })

  test('is the name itself after a second in which llama-swap did not say, and what it said later', async () => {
    const box = startBox(ALIASED)
    box.upstream.onCall = undefined
    const asked = box.directory.idOf('x', undefined)
    await box.clock.advance(1000)
    expect(await asked).toBe('x')
    box.upstream.calls.at(-1)?.answer(ALIASED)
    await box.clock.advance(0)
    expect(await box.directory.idOf('x', undefined)).toBe('a')
    expect(box.upstream.calls).toHaveLength(1)
  })

  test('is the name itself while llama-swap cannot be asked', async () => {
    const box = startBox({ status: 502 })
    expect(await box.directory.idOf('x', undefined)).toBe('x')
  })
})

describe('what is known of a name right now', () => {
  const ALIASED = jsonAnswer({
    data: [{ id: 'a', meta: { llamaswap: { type: 'model', aliases: ['x'] } } }, { id: 'b' }],
  })
  const NAMES = ['a', 'b', 'x', 'hidden', 'h', 'choice', 'pinned', 'nobody']
  /** What only config.yaml tells. */
  const CONFIGURED: ModelNames = {
    ids: new Set(['hidden']),
    aliases: new Map([['h', 'hidden']]),
    selectors: new Map([['choice', ['a', 'hidden']]]),
    pins: new Map([['pinned', ['a']]]),
  }
  const absent = ({ directory }: Box): string[] =>
    NAMES.filter((name) => directory.isOfNoModelHere(name))

  test('is nothing before llama-swap was asked: every name may be a model', () => {
    const box = startBox(ALIASED, CONFIGURED)
    expect([NAMES.map((name) => box.directory.knownAs(name)), absent(box)]).toEqual([NAMES, []])
    expect(box.upstream.calls).toEqual([])
  })

  test('is the model that it stands for, also where only config.yaml says so, or that nobody knows it', async () => {
    const box = startBox(ALIASED, CONFIGURED)
    await box.directory.idOf('a', undefined)
    expect([NAMES.map((name) => box.directory.knownAs(name)), absent(box)]).toEqual([
      ['a', 'b', 'a', 'hidden', 'hidden', 'choice', 'pinned', 'nobody'],
      ['choice', 'pinned', 'nobody'],
    ])
    expect(box.upstream.calls).toHaveLength(1)
  })

  test('is a model before it is an alias of the same name', async () => {
    const { directory } = startBox(ALIASED, { ...NO_NAMES, aliases: new Map([['b', 'a']]) })
    await directory.idOf('a', undefined)
    expect([directory.knownAs('b'), directory.isOfNoModelHere('b')]).toEqual(['b', false])
  })

  test('is what a listing says that was fetched for a client', async () => {
    const box = startBox()
    await box.directory.learn({ ...NO_NAMES, ids: new Set(['b']) })
    expect(absent(box)).toEqual(NAMES.filter((name) => name !== 'b'))
  })

  test.each([
    ['answers an error', jsonAnswer({ error: 'no' }, 500)],
    ['answers no list', jsonAnswer({ ok: true })],
  ])(
    'is that any name that is no open choice may be a model where llama-swap %s, until it answers again',
    async (_what, failing) => {
      const box = startBox(failing, CONFIGURED)
      await box.directory.idOf('a', undefined)
      expect([absent(box), box.directory.knownAs('h')]).toEqual([['choice', 'pinned'], 'hidden'])
      box.listing = ALIASED
      await box.clock.advance(2001)
      await box.directory.idOf('nobody', undefined)
      expect(absent(box)).toEqual(['choice', 'pinned', 'nobody'])
      box.listing = failing
      await box.clock.advance(2001)
      await box.directory.idOf('nobody', undefined)
      expect([absent(box), box.directory.knownAs('x')]).toEqual([['choice', 'pinned'], 'a'])
    },
  )
})

function directoryOf(box: Box, config: ModelConfig | undefined): ModelDirectory {
  const modelConfig = { read: async () => config }
  return createModelDirectory({ modelConfig, clock: box.clock }, askingVia(box.upstream, box.clock))
}

describe('a model on another machine', () => {
  const PEERS = jsonAnswer({
    data: [
      { id: 'a', meta: { llamaswap: { type: 'model' } } },
      { id: 'cloud/x', meta: { llamaswap: { type: 'peer', peerID: 'cloud' } } },
    ],
  })
  const NAMES = ['a', 'cloud/x', 'far/y', 'nobody']
  const remote = { ...NO_MODEL_CONFIG, remote: new Set(['far/y']) }

  function told(directory: ModelDirectory): Record<string, string[]> {
    return {
      ofPeer: NAMES.filter((name) => directory.isOfPeer(name)),
      ofNoModelHere: NAMES.filter((name) => directory.isOfNoModelHere(name)),
    }
  }

  test('is told by the listing', async () => {
    const directory = directoryOf(startBox(PEERS), undefined)
    expect(told(directory)).toEqual({ ofPeer: [], ofNoModelHere: [] })
    await directory.idOf('a', undefined)
    expect(told(directory)).toEqual({
      ofPeer: ['cloud/x'],
      ofNoModelHere: ['cloud/x', 'far/y', 'nobody'],
    })
  })

  test('is told by config.yaml, also where there is no listing', async () => {
    const directory = directoryOf(startBox({ status: 502 }), remote)
    await directory.idOf('a', undefined)
    expect(told(directory)).toEqual({ ofPeer: ['far/y'], ofNoModelHere: ['far/y'] })
  })

  test('is told by both', async () => {
    const directory = directoryOf(startBox(PEERS), remote)
    await directory.idOf('a', undefined)
    expect(told(directory)).toEqual({
      ofPeer: ['cloud/x', 'far/y'],
      ofNoModelHere: ['cloud/x', 'far/y', 'nobody'],
    })
  })

  test('stays one while the listing cannot be had, and is none once the listing leaves it out', async () => {
    const box = startBox(PEERS)
    const directory = directoryOf(box, undefined)
    await directory.idOf('a', undefined)
    box.listing = { status: 502 }
    await box.clock.advance(30_001)
    await directory.namesFor('a', undefined)
    expect(told(directory)).toEqual({ ofPeer: ['cloud/x'], ofNoModelHere: ['cloud/x'] })
    box.listing = listingOf('a', 'cloud/x')
    await box.clock.advance(30_001)
    await directory.namesFor('a', undefined)
    expect(told(directory)).toEqual({ ofPeer: [], ofNoModelHere: ['far/y', 'nobody'] })
  })
})

describe('the configuration file', () => {
  test('says nothing before it was read, and then what it says', async () => {
    const box = startBox(listingOf('a'), { ...NO_NAMES, ids: new Set(['b']) })
    expect(box.directory.config()).toEqual(NO_MODEL_CONFIG)
    await box.directory.idOf('a', undefined)
    expect(box.directory.config()).toEqual({
      ...NO_MODEL_CONFIG,
      names: { ...NO_NAMES, ids: new Set(['b']) },
    })
  })

  test('says nothing where there is none', async () => {
    const box = startBox(listingOf('a'))
    await box.directory.idOf('a', undefined)
    expect(box.directory.config()).toEqual(NO_MODEL_CONFIG)
  })
})

test('a file that cannot be read fails the question, and the next one asks anew', async () => {
  const box = startBox(listingOf('a'))
  const fault = { isThere: true }
  const directory = createModelDirectory(
    {
      clock: box.clock,
      modelConfig: {
        read: async () => {
          if (fault.isThere) throw new Error('no file')
          return undefined
        },
      },
    },
    askingVia(box.upstream, box.clock),
  )
  await expect(directory.namesFor('a', undefined)).rejects.toThrow('no file')
  fault.isThere = false
  expect(ids(await directory.namesFor('a', undefined))).toEqual(['a'])
})

const viasOf = ({ upstream }: Box): unknown[] =>
  upstream.calls.map(({ request }) => new Map(request.headers).get('via'))

describe('a question that is asked for a request', () => {
  const LOOP = jsonAnswer({ error: { message: 'loop' } }, 508)
  test('goes the way of that request, and is shared by those that came the same way', async () => {
    const box = startBox(listingOf('a'))
    const ways = ['one', undefined, 'two', 'one', undefined]
    const asked = await Promise.all([
      ...ways.map((via) => box.directory.namesFor('a', via)),
      box.directory.idOf('a', 'one'),
    ])
    expect([asked.slice(0, 5).map((known) => ids(Object(known))), viasOf(box)]).toEqual([
      ways.map(() => ['a']),
      ['one', 'nobody', 'two'],
    ])
  })

  test('and comes round in a circle fails for those that came that way, and for nobody else', async () => {
    const box = startBox(listingOf('a'))
    box.upstream.onCall = (call) =>
      call.answer(new Map(call.request.headers).get('via') === 'round' ? LOOP : listingOf('a'))
    const failures: unknown[] = []
    for (const via of ['round', undefined, 'round', 'straight'])
      failures.push((await box.directory.namesFor('x', via)).failure)
    await box.clock.advance(2001)
    const together = await Promise.all(
      ['round', 'straight', 'round', undefined].map((via) => box.directory.namesFor('x', via)),
    )
    expect({ failures, together: together.map(({ failure }) => failure) }).toEqual({
      failures: [{ kind: 'loop' }, undefined, undefined, undefined],
      together: [{ kind: 'loop' }, undefined, { kind: 'loop' }, undefined],
    })
    expect(box.directory.isOfNoModelHere('x')).toBe(true)
  })

  test('and comes round in a circle tells nothing of names: the next request asks', async () => {
    const box = startBox(LOOP)
    expect([await box.directory.idOf('x', 'round'), box.directory.isOfNoModelHere('x')]).toEqual([
      'x',
      false,
    ])
    box.listing = listingOf('a')
    expect(await box.directory.namesFor('a', undefined)).toEqual({
      names: { ...NO_NAMES, ids: new Set(['a']) },
      failure: undefined,
    })
  })

  test('is shared however many other ways clients make up, and is asked anew for those alone', async () => {
    const box = startBox()
    const waiting = [box.directory.namesFor('a', undefined)]
    for (let i = 0; i < 100; i++) waiting.push(box.directory.namesFor('a', `way-${i}`))
    for (const via of [undefined, 'way-99', 'way-0']) waiting.push(box.directory.namesFor('a', via))
    expect(viasOf(box)).toEqual([
      'nobody',
      ...Array.from({ length: 100 }, (_, i) => `way-${i}`),
      'way-0',
    ])
    for (const call of box.upstream.calls) call.answer(listingOf('a'))
    expect(new Set((await Promise.all(waiting)).map((known) => ids(known).join()))).toEqual(
      new Set(['a']),
    )
  })
})
