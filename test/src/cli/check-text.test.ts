import { expect, test } from 'vitest'
import { checkText, COLOURED, PLAIN } from '../../../src/cli/check-text.ts'
import { checkConfig } from '../../../src/opencode/check/check-config.ts'
import { aContext, aModel, NO_CONTEXT } from '../opencode/catalogue-samples.ts'
import { aCheck, LIMIT, PROVIDER } from '../opencode/check/check-samples.ts'

test('a file in which nothing is wrong has its table and one line', () => {
  expect(checkText(checkConfig(aCheck()), PLAIN)).toBe(
    `model    context    input  output  real context             compacts at  verdict
coder-1  131,072  131,072  16,384  131,072 exact (command)      114,688  ok
talker   131,072  131,072  16,384  131,072 exact (command)      114,688  ok

Nothing to find fault with.
`,
  )
})

test('each finding has its place, its reason and its fix, and the end has the sum', () => {
  const check = aCheck({
    set: [
      [[...LIMIT, 'input'], undefined],
      [[...PROVIDER, 'models', 'talker', 'limit'], undefined],
    ],
    models: [
      aModel('coder-1', { context: aContext(98_304) }),
      aModel('talker', { context: NO_CONTEXT }),
    ],
  })
  expect(checkText(checkConfig(check), PLAIN)).toBe(
    `model    context  input  output  real context            compacts at  verdict
coder-1  131,072      -  16,384  98,304 exact (command)      114,688  context-too-large
talker         -      -       -  unknown                       never  ok

error: opencode.json:19  provider.llama-swap.models.coder-1.limit.context  [context-too-large]
  131,072 tokens are written, but one request may hold 98,304 (exact; --ctx-size, one slot): OpenCode compacts too late, and requests fail.
  Fix: Write "limit": { "context": 98304, "input": 98304, "output": 16384 }. (--fix does it)

warning: opencode.json:19  provider.llama-swap.models.coder-1.limit  [input-missing]
  Without limit.input OpenCode compacts at 114,688 tokens of 98,304, whatever compaction.reserved says; with it at 81,920.
  Fix: Write "limit": { "context": 98304, "input": 98304, "output": 16384 }. (--fix does it)

hint: opencode.json:21  provider.llama-swap.models.talker  [limit-missing]
  There is no "limit": OpenCode takes the context for 0, shows 0 % and never compacts by itself.
  Fix: Write all three values; what the context is, nobody knows here.

1 error, 1 warning, 1 hint. --fix mends 2 of 3.
`,
  )
})

test('a terminal with colours has the severity in colour', () => {
  const report = checkConfig(aCheck({ set: [[[...PROVIDER, 'npm'], undefined]] }))
  expect(checkText(report, COLOURED)).toContain('\u001B[36mhint\u001B[0m: opencode.json:5')
  expect(checkText({ rows: [], findings: [] }, COLOURED)).toBe(
    '\u001B[32mNothing to find fault with.\u001B[0m\n',
  )
})
