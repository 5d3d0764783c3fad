import { describe, expect, test } from 'vitest'
import { checkConfig } from '../../../../../src/opencode/check/check-config.ts'
import type { JsonPath } from '../../../../../src/opencode/jsonc.ts'
import { aCheck, LIMIT, PROVIDER } from '../check-samples.ts'

function verdicts(set: [JsonPath, unknown][]): string[] {
  const { rows } = checkConfig(aCheck({ set }))
  return rows.map(({ model, verdict }) => `${model}: ${verdict}`)
}

describe('the line of a model that OpenCode does not show', () => {
  test.each<[string, JsonPath, unknown]>([
    ['a whitelist does not name it', ['whitelist'], ['coder-1']],
    ['a blacklist names it', ['blacklist'], ['talker']],
    ['of its status', ['models', 'talker', 'status'], 'alpha'],
  ])('says so where %s', (_, path, value) => {
    expect(verdicts([[[...PROVIDER, ...path], value]])).toEqual([
      'coder-1: ok',
      'talker: model-hidden',
    ])
  })

  test('says first what is wrong with the model itself', () => {
    const set: [JsonPath, unknown][] = [
      [[...PROVIDER, 'whitelist'], ['talker']],
      [[...LIMIT, 'output'], 0],
    ]
    expect(verdicts(set)).toEqual(['coder-1: output-zero', 'talker: ok'])
  })
})
