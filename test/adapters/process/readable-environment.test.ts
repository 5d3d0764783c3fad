import { expect, test } from 'vitest'
import { readableEnvironment } from '../../../adapters/process/readable-environment.ts'

test('a variable that may not be read counts as not set, and its name is kept', () => {
  const variables = new Proxy<NodeJS.ProcessEnv>({ A: '1' }, { get: readOnlyA })
  const { env, denied } = readableEnvironment(variables)
  expect([env['A'], env['B'], env['B'], [...denied]]).toEqual(['1', undefined, undefined, ['B']])
})

function readOnlyA(_target: NodeJS.ProcessEnv, name: string | symbol): string {
  if (name !== 'A') throw new Error('Requires env access')
  return '1'
}
