import { expect, test } from 'vitest'
import { checkConfig } from '../../../../src/opencode/check/check-config.ts'
import { changeJsonc } from '../../../../src/opencode/edit-jsonc.ts'
import { aModel } from '../catalogue-samples.ts'
import { CLEAN, LIMIT } from './check-samples.ts'
import { aCheckOf, aFile } from './file-samples.ts'

test.each(['1e999', '-1e999'])('%s is told as what OpenCode takes it for', (huge) => {
  const other = `{ "provider": { "other": { "options": { "timeout": ${huge} } } } }`
  const files = [aFile('global.json', CLEAN), aFile('opencode.json', other)]
  expect(checkConfig(aCheckOf(files)).findings).toEqual([
    {
      code: 'invalid-field',
      severity: 'error',
      where: 'opencode.json:1',
      path: ['provider', 'other', 'options', 'timeout'],
      message: 'OpenCode does not start with this: timeout is too large for a number.',
      fix: 'Correct it, or remove it.',
      changes: [],
    },
  ])
})

test('a model that is not for chats gets no limit, and what OpenCode does not take of it is told', () => {
  const file = aFile(
    'opencode.json',
    changeJsonc(CLEAN, [{ path: [...LIMIT, 'output'], value: undefined }]),
  )
  const models = [aModel('coder-1', { use: 'embeddings' }), aModel('talker')]
  const { findings } = checkConfig(aCheckOf([file], { models }))
  expect(findings.map(({ code, changes }) => [code, changes])).toEqual([
    ['invalid-field', []],
    ['model-not-for-chats', []],
  ])
})
