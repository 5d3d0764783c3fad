import { expect, test } from 'vitest'
import { writeCommand, type WriteCommand } from '../../../src/opencode/write-command.ts'

test.each<[WriteCommand, string]>([
  [{}, 'swapgate opencode --write'],
  [{ provider: 'llama-swap', keyVariable: 'LLAMA_SWAP_API_KEY' }, 'swapgate opencode --write'],
  [{ global: true }, 'swapgate opencode --write --global'],
  [{ global: true, file: 'proj/opencode.json' }, 'swapgate opencode --write proj/opencode.json'],
  [{ file: '-o.json' }, 'swapgate opencode --write ./-o.json'],
  [{ file: 'my project/o.json' }, "swapgate opencode --write 'my project/o.json'"],
  [{ file: "it's.json" }, String.raw`swapgate opencode --write 'it'\''s.json'`],
  [
    { file: 'o.json', provider: 'home', url: 'http://box:3000', keyVariable: 'BOX_KEY' },
    'swapgate opencode --write o.json --provider home --url http://box:3000 --key-env BOX_KEY',
  ],
])('what is to be written, %j, is asked for with %s', (command, text) => {
  expect(writeCommand(command)).toBe(text)
})
