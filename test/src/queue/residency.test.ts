import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModelGroup } from '../../../src/llama-swap/model-config.ts'
import { createResidency } from '../../../src/queue/residency.ts'

const GROUPS: ModelGroup[] = [
  { id: 'one', swap: true, exclusive: true, persistent: false, members: ['one-1', 'one-2'] },
  { id: 'all', swap: false, exclusive: true, persistent: false, members: ['all-1', 'all-2'] },
  { id: 'aside', swap: true, exclusive: false, persistent: false, members: ['aside-1', 'aside-2'] },
  { id: 'kept', swap: false, exclusive: false, persistent: true, members: ['kept-1', 'kept-2'] },
]
const MODELS = [...GROUPS.flatMap(({ members }) => members), 'loose-1', 'loose-2', 'far']

const residency = createResidency(GROUPS, (id) => id === 'far')

describe('loading a model', () => {
  test.each([
    ['one-1', ['one-2', 'all-1', 'all-2', 'aside-1', 'aside-2', 'loose-1', 'loose-2']],
    ['all-1', ['one-1', 'one-2', 'aside-1', 'aside-2', 'loose-1', 'loose-2']],
    ['aside-1', ['aside-2']],
    ['kept-1', []],
    ['loose-1', ['one-1', 'one-2', 'all-1', 'all-2', 'aside-1', 'aside-2', 'loose-2']],
    ['far', []],
  ])('%s stops %j', (starting, stopped) => {
    expect(MODELS.filter((loaded) => residency.evicts(starting, loaded))).toEqual(stopped)
  })

  test('without any groups stops every other one', () => {
    const alone = createResidency([], () => false)
    expect([alone.evicts('x', 'y'), alone.evicts('y', 'x'), alone.evicts('x', 'x')]).toEqual([
      true,
      true,
      false,
    ])
  })

  test('never stops itself, whatever the groups', () => {
    const group = fc.record({
      id: fc.string(),
      swap: fc.boolean(),
      exclusive: fc.boolean(),
      persistent: fc.boolean(),
      members: fc.array(fc.constantFrom(...MODELS)),
    })
    fc.assert(
      fc.property(fc.array(group), fc.constantFrom(...MODELS), (groups, model) => {
        expect(createResidency(groups, () => false).evicts(model, model)).toBe(false)
      }),
    )
  })
})
