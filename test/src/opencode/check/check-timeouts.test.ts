import { expect, test } from 'vitest'
import { checkConfig } from '../../../../src/opencode/check/check-config.ts'
import { aCheck, mend, OPTIONS } from './check-samples.ts'

const WRITTEN = '"headerTimeout": 900000, "chunkTimeout": 900000'

test('a time-out of the whole answer is taken out, as there is none without it', () => {
  const check = aCheck({ set: [[[...OPTIONS, 'timeout'], 300_000]] })
  expect(checkConfig(check).findings.map(({ fix }) => fix)).toEqual([
    'Remove it: there is none, unless one is written.',
  ])
  expect(mend(check).text).not.toContain('"timeout"')
})

test.each(['headerTimeout', 'chunkTimeout'])('%s is put up, as its default is short', (name) => {
  const check = aCheck({ set: [[[...OPTIONS, name], 15_000]] })
  expect(checkConfig(check).findings.map(({ fix }) => fix)).toEqual([`Write "${name}": 900000.`])
  expect(mend(check).text.replaceAll(/\s+/g, ' ')).toContain(WRITTEN)
})
