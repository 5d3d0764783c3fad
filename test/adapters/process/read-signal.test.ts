import { expect, test } from 'vitest'
import { createSignalReader } from '../../../adapters/process/read-signal.ts'

type Told = [atMs: number, signal: NodeJS.Signals]

/** What each of the signals asks for. */
function asked(told: Told[]): string[] {
  let now = 0
  const read = createSignalReader(() => now)
  return told.map(([atMs, signal]) => {
    now = atMs
    return read(signal)
  })
}

test.each<[string, Told[], string[]]>([
  ['one signal stops', [[0, 'SIGTERM']], ['stop']],
  [
    'a second Ctrl-C stops at once',
    [
      [0, 'SIGINT'],
      [500, 'SIGINT'],
    ],
    ['stop', 'stop-at-once'],
  ],
  [
    'a Ctrl-C that npm passes on, too, is one',
    [
      [0, 'SIGINT'],
      [499, 'SIGINT'],
      [500, 'SIGINT'],
    ],
    ['stop', 'nothing', 'stop-at-once'],
  ],
  [
    'a third Ctrl-C stops at once, however soon',
    [
      [0, 'SIGINT'],
      [1, 'SIGINT'],
      [2, 'SIGINT'],
    ],
    ['stop', 'nothing', 'stop-at-once'],
  ],
  [
    'another signal is a second one, however soon',
    [
      [0, 'SIGINT'],
      [1, 'SIGTERM'],
    ],
    ['stop', 'stop-at-once'],
  ],
  [
    'a terminal that closes never asks for haste',
    [
      [0, 'SIGHUP'],
      [1000, 'SIGHUP'],
    ],
    ['stop', 'nothing'],
  ],
])('%s', (_what, told, expected) => {
  expect(asked(told)).toEqual(expected)
})
