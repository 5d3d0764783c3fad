import { expect, test } from 'vitest'
import { scanJsonObject } from '../../../src/body/scan-json.ts'
import { countPrompts } from '../../../src/body/count-prompts.ts'

test.each([
  ['{}', 1],
  ['{"messages":[1,2]}', 1],
  ['{"prompt":"a"}', 1],
  ['{"prompt":["a"]}', 1],
  ['{"prompt":["a","b"]}', 2],
  ['{"prompt":[1,2,3]}', 1],
  ['{"prompt":["a",2,3]}', 1],
  ['{"prompt":[[1,2],[3]]}', 2],
  ['{"prompt":["a",[3],{"prompt_string":"b"}]}', 3],
  ['{"prompt":[]}', 1],
  ['{"prompt":{"prompt_string":"a"}}', 1],
  ['{"prompt":["a",-1]}', 1],
  ['{"prompt":[["a","b"],[[1],[2]],{"c":["d","e"]}]}', 3],
  ['{"prompt":["a line\nbreak, which is for upstream to refuse","b"]}', 2],
])('%s holds %i', (text, prompts) => {
  const body = new TextEncoder().encode(text)
  const scan = scanJsonObject(body)
  expect(scan.ok && countPrompts({ body, members: scan.members })).toBe(prompts)
})
