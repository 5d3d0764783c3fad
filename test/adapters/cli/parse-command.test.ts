import { describe, expect, test } from 'vitest'
import { parseCommand } from '../../../adapters/cli/parse-command.ts'
import { HELP, NEW_KEY_HELP, START_HELP } from '../../../src/cli/help.ts'

describe('a command line', () => {
  test.each([
    [['start'], { kind: 'start', demo: false }],
    [['start', '--demo'], { kind: 'start', demo: true }],
    [['keys', 'new'], { kind: 'new-key', id: undefined, edge: false }],
    [['keys', 'new', '--id', 'laptop'], { kind: 'new-key', id: 'laptop', edge: false }],
    [['keys', 'new', '--edge', '--id', 'vps'], { kind: 'new-key', id: 'vps', edge: true }],
    [['keys', 'new', '--id=laptop'], { kind: 'new-key', id: 'laptop', edge: false }],
    [['--help'], { kind: 'help', text: HELP }],
    [['start', '-h'], { kind: 'help', text: START_HELP }],
    [['keys', 'new', '--help'], { kind: 'help', text: NEW_KEY_HELP }],
    [['--version'], { kind: 'version' }],
  ])('%j is understood', (args, command) => {
    expect(parseCommand(args)).toEqual(command)
  })

  test.each([
    [[], 'say what to do'],
    [['strat'], 'unknown command "strat". Did you mean "start"?'],
    [['key', 'new'], 'unknown command "key new". Did you mean "keys new"?'],
    [['serve'], 'unknown command "serve".'],
    [['keys'], 'unknown command "keys". Did you mean "keys new"?'],
    [['keys', 'remove'], 'unknown command "keys remove". Did you mean "keys new"?'],
    [['--hlep'], 'unknown option "--hlep". Did you mean "--help"?'],
    [['start', '--dmeo'], 'unknown option "--dmeo". Did you mean "--demo"?'],
    [['start', '--toString'], 'unknown option "--toString".'],
    [['start', '--demo=yes'], '--demo takes no value'],
    [['start', 'now'], 'unexpected "now"'],
    [['keys', 'new', '--id'], '--id needs a value'],
    [['keys', 'new', '--id', '--help'], '--id needs a value'],
    [['keys', 'new', '--id='], '--id needs a value'],
    [
      ['keys', 'new', '--id', 'my laptop'],
      '--id must be 1 to 64 letters, digits, ".", "_" or "-", not "my laptop"',
    ],
  ])('%j is refused with words', (args, message) => {
    expect(parseCommand(args)).toEqual({ kind: 'wrong', message })
  })
})
