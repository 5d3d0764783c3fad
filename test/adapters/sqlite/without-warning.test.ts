import { expect, test, vi } from 'vitest'
import { withoutWarning } from '../../../adapters/sqlite/without-warning.ts'

/** What the process is asked to tell from now on, until the test ends. */
function listenToWarnings(): unknown[][] {
  const told: unknown[][] = []
  const listen = (...args: unknown[]): void => void told.push(args)
  vi.spyOn(process, 'emitWarning').mockImplementation(listen)
  return told
}

test('one warning is kept back for a while, all others are told', async ({ onTestFinished }) => {
  onTestFinished(() => void vi.restoreAllMocks())
  const told = listenToWarnings()

  const result = await withoutWarning('x is new', async () => {
    process.emitWarning('x is new', 'ExperimentalWarning')
    process.emitWarning('y is new', 'ExperimentalWarning')
    return 'result'
  })
  process.emitWarning('x is new', 'ExperimentalWarning')

  expect([result, told]).toEqual([
    'result',
    [
      ['y is new', 'ExperimentalWarning'],
      ['x is new', 'ExperimentalWarning'],
    ],
  ])
})

test('warnings are told again after a failure', async ({ onTestFinished }) => {
  onTestFinished(() => void vi.restoreAllMocks())
  const told = listenToWarnings()

  const failing = withoutWarning('x', () => Promise.reject(new Error('failed')))
  await expect(failing).rejects.toThrow('failed')
  process.emitWarning('x')

  expect(told).toEqual([['x']])
})
