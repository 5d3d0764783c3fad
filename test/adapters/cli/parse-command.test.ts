import { describe, expect, test } from 'vitest'
import { parseCommand } from '../../../adapters/cli/parse-command.ts'
import { CHECK_HELP, CONNECT_HELP, OPENCODE_HELP } from '../../../src/cli/client-help.ts'
import { HELP, NEW_KEY_HELP, START_HELP } from '../../../src/cli/help.ts'

const GATE = { url: undefined, keyVariable: 'LLAMA_SWAP_API_KEY' }
const OPENCODE = { ...GATE, write: false, file: undefined, global: false, provider: 'llama-swap' }
const CHECK = { ...GATE, opencodeFile: undefined, modelFile: undefined, fix: false, json: false }
const CONNECT = { ...GATE, client: undefined, model: undefined }
const NO_VARIABLE =
  '--key-env takes the name of a variable, such as LLAMA_SWAP_API_KEY, not the key'
const NO_PROVIDER =
  '--provider takes lower-case letters, digits, ".", "_" and "-", and not what begins with "openai" or "opencode"'
const NO_ADDRESS = '--url takes the address of a gate, such as http://localhost:3000'

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
    [['opencode', '--help'], { kind: 'help', text: OPENCODE_HELP }],
    [['check', '-h'], { kind: 'help', text: CHECK_HELP }],
    [['connect', 'claude', '--help'], { kind: 'help', text: CONNECT_HELP }],
    [['opencode'], { kind: 'opencode', ...OPENCODE }],
    [['opencode', '--write'], { kind: 'opencode', ...OPENCODE, write: true }],
    [
      ['opencode', '--write', 'a.json'],
      { kind: 'opencode', ...OPENCODE, write: true, file: 'a.json' },
    ],
    [
      ['opencode', '--global', '--write'],
      { kind: 'opencode', ...OPENCODE, write: true, global: true },
    ],
    [
      ['opencode', '--url', 'http://box:3000/v1/', '--key-env', 'BOX_KEY'],
      { kind: 'opencode', ...OPENCODE, url: 'http://box:3000', keyVariable: 'BOX_KEY' },
    ],
    [['opencode', '--provider', 'home'], { kind: 'opencode', ...OPENCODE, provider: 'home' }],
    [['check'], { kind: 'check', ...CHECK }],
    [
      ['check', 'box.yml', 'a.jsonc', '--fix', '--json'],
      {
        kind: 'check',
        ...CHECK,
        opencodeFile: 'a.jsonc',
        modelFile: 'box.yml',
        fix: true,
        json: true,
      },
    ],
    [['connect'], { kind: 'connect', ...CONNECT }],
    [
      ['connect', 'zed', '--model', 'm', '--url', 'https://box/llm'],
      { kind: 'connect', ...CONNECT, client: 'zed', model: 'm', url: 'https://box/llm' },
    ],
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
    [['opencode', 'a.json'], 'unexpected "a.json"; to write into it: --write a.json'],
    [['opencode', '--write', 'a.json', 'b.json'], 'unexpected "b.json"'],
    [['opencode', '--write', '--global', 'a.json'], '--global and a file exclude each other'],
    [['opencode', '--provider', 'openai-box'], NO_PROVIDER],
    [['opencode', '--provider', 'sk-A'], NO_PROVIDER],
    [['opencode', '--global'], '--global goes with --write'],
    [['opencode', '--key-env', 'sk-0123'], NO_VARIABLE],
    [['check', '--url', 'box:3000'], NO_ADDRESS],
    [['check', '--url', 'http://sk-0123@box'], NO_ADDRESS],
    [['check', 'localhost:3000'], 'to ask the gate there: --url http://localhost:3000'],
    [['connect', 'box.local:80/v1'], 'to ask the gate there: --url http://box.local:80'],
    [['opencode', 'https://box/?key=sk-0'], 'to ask the gate there: --url https://box'],
    [['connect', 'zed', 'HTTP://box:1'], 'to ask the gate there: --url HTTP://box:1'],
    [['start', 'box:3000'], 'unexpected "box:3000"'],
    [['check', 'notes.txt'], '"notes.txt" must end with .json, .jsonc, .yaml or .yml'],
    [['check', 'a.json', 'b.jsonc'], 'unexpected "b.jsonc": one file of a kind'],
    [['chek'], 'unknown command "chek". Did you mean "check"?'],
    [['connect', 'opncode'], 'unknown client "opncode". Did you mean "opencode"?'],
    [
      ['connect', 'emacs'],
      'unknown client "emacs". Known: opencode, claude, codex, zed, continue, open-webui, aider, curl.',
    ],
    [['keys', 'new', '--id', '--help'], '--id needs a value'],
    [['keys', 'new', '--id='], '--id needs a value'],
    [
      ['keys', 'new', '--id', 'my laptop'],
      '--id must be 1 to 64 letters, digits, ".", "_" or "-", not "my laptop"',
    ],
  ])('%j is refused with words', (args, message) => {
    expect(parseCommand(args)).toMatchObject({ kind: 'wrong', message })
  })

  test.each([
    [['chek'], undefined],
    [['--urll'], undefined],
    [['check', '--urll'], 'check'],
    [['opencode', 'a.json'], 'opencode'],
    [['keys', 'new', 'me'], 'keys new'],
  ])('%j is wrong usage of the command %s', (args, of) => {
    expect(parseCommand(args)).toMatchObject({ kind: 'wrong', ...(of ? { of } : {}) })
    expect('of' in parseCommand(args)).toBe(of !== undefined)
  })
})
