import { expect, test } from 'vitest'
import { readFacts } from '../../../../src/llama-swap/config/read-facts.ts'

function faultsOf(flags: string, capabilities: object = {}): object {
  return readFacts('a', { cmd: `llama-server ${flags}`, capabilities }, {}).facts.faults
}

const ENDS =
  'long requests that run side by side end each other with "Context size has been exceeded."'
const SLOTS =
  'add -np 1, or as many slots as requests shall run side by side, each with its own part of -c'

test.each([
  ['-c 4096 -np 1', {}],
  ['-np 1', {}],
  ['-np 4', {}],
  ['--embeddings -c 4096', {}],
  ['-np 4 --kv-unified-per-slot 1024', {}],
  ['-c 4096 -c 4096 -np 1', {}],
  ['-c 4096 -np 1 --no-context-shift', {}],
  ['-c 4096 -np 1 --jinja', { tools: 'true', context: '4096' }],
])('nothing is wrong with %s %o', (flags, capabilities) => {
  expect(faultsOf(flags, capabilities)).toEqual([])
})

test.each([
  [
    '--ctx-size=4096',
    {},
    'refused-flag',
    'llama-server does not start with --ctx-size and its value in one word',
    'write it as two words: --ctx-size 4096',
  ],
  [
    '--api-key=secret',
    {},
    'refused-flag',
    'llama-server does not start with --api-key and its value in one word',
    'write --api-key and its value as two words',
  ],
  [
    '-c 4k -np 1',
    {},
    'cut-number',
    'llama-server reads -c 4k as 4',
    'write the number in digits alone: 4096',
  ],
  [
    '-c 131_072 -np 1',
    {},
    'cut-number',
    'llama-server reads -c 131_072 as 131',
    'write the number in digits alone',
  ],
  [
    '-c 4096 -np 1 --ctx-size 8192',
    {},
    'flag-twice',
    'the same setting stands in the command twice; the last one counts: --ctx-size 8192',
    'remove the one that does not count',
  ],
  [
    '-c 4096 -np 4',
    {},
    'divided-context',
    '-c 4096 is divided among 4 slots: one request gets 1024 tokens',
    'for -c 4096 in one request add -np 1, or ask for 4 times as much',
  ],
  ['-c 4096', {}, 'shared-context', `4 slots share one context (-c 4096): ${ENDS}`, SLOTS],
  ['', {}, 'shared-context', `4 slots share one context: ${ENDS}`, SLOTS],
  [
    '-c 4096 -np 2 -kvu',
    {},
    'shared-context',
    `2 slots share one context (-c 4096): ${ENDS}`,
    SLOTS,
  ],
  [
    '-c 4096 -np 1',
    { context: '8192' },
    'contradicted-context',
    'capabilities.context says 8192 tokens, the command gives 4096 (-c 4096)',
    'remove capabilities.context, or change the command',
  ],
  [
    '-np 1',
    { tools: 'true' },
    'tools-without-jinja',
    'tools need --jinja in builds of llama-server where it is not on by itself',
    'add --jinja; recent builds have it on',
  ],
  [
    '-np 1 --no-jinja',
    { tools: 'true' },
    'tools-without-jinja',
    'capabilities.tools is true, but --no-jinja turns tools off',
    'write --jinja in place of --no-jinja',
  ],
  [
    '-np 1 --context-shift',
    {},
    'context-shift',
    '--context-shift: a full context forgets its beginning, and an answer may go on without end',
    'remove --context-shift, so that a full context ends the answer',
  ],
  [
    '-np 1 --context-shift -n 512',
    {},
    'context-shift',
    '--context-shift: a full context forgets its beginning',
    'remove --context-shift, so that a full context ends the answer',
  ],
])('%s %o is told: %s', (flags, capabilities, ...[kind, message, fix]) => {
  expect(faultsOf(flags, capabilities)).toEqual([{ kind, message, fix }])
})

test('of other programs nothing is told', () => {
  expect(readFacts('a', { cmd: 'vllm serve --max-model-len=4k' }, {}).facts.faults).toEqual([])
})
