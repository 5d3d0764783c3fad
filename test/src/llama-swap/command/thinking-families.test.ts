import { expect, test } from 'vitest'
import { soundsThinking } from '../../../../src/llama-swap/command/thinking-families.ts'

test.each([
  'gpt-oss-120b',
  'GPT_OSS:20b',
  'DeepSeek-R1-Distill-Qwen-7B',
  'qwq-32b',
  'glm-4.5-air',
  'GLM-4.7-Flash',
  'glm-5',
  'magistral-small',
  'qwen3-32b',
  'Qwen3.5-27B',
  'Qwen3-VL-8B-Thinking',
  'Phi-4-mini-reasoning',
])('%s sounds like a model that thinks', (name) => {
  expect([soundsThinking(name), soundsThinking('x', name)]).toEqual([true, true])
})

test.each([
  'llama-3.3-70b',
  'glm-4-9b',
  'glm-4.1v',
  'deepseek-v3',
  'qwen2.5-coder-7b',
  'qwen3-coder-30b-a3b',
  'Qwen3-4B-Instruct-2507',
  'qwen3-embedding-0.6b',
  'mistral-non-reasoning',
  'any-no-thinking',
])('%s does not', (name) => {
  expect(soundsThinking(name, undefined)).toBe(false)
})
