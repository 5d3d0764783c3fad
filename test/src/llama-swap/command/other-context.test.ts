import { expect, test } from 'vitest'
import { commandWords } from '../../../../src/llama-swap/command/command-words.ts'
import { otherContext } from '../../../../src/llama-swap/command/other-context.ts'
import { findServer } from '../../../../src/llama-swap/command/server-kind.ts'

const contextOf = (cmd: string) => otherContext(findServer(commandWords(cmd) ?? [], {}))

test.each([
  ['vllm serve a --max-model-len 32768', 32768, '--max-model-len 32768 of vLLM'],
  ['vllm serve a --max_model_len=32k', 32000, '--max-model-len 32k of vLLM'],
  ['vllm serve a --max-model-len 32K', 32768, '--max-model-len 32K of vLLM'],
  ['vllm serve a --max-model-len 25.6k', 25600, '--max-model-len 25.6k of vLLM'],
  ['vllm serve a --max-model-len 1 --max-model-len 2', 2, '--max-model-len 2 of vLLM'],
  ['python -m sglang.launch_server --context-length 8192', 8192, '--context-length 8192 of SGLang'],
  ['python tabbyAPI/main.py --max-seq-len 16384', 16384, '--max-seq-len 16384 of TabbyAPI'],
  ['koboldcpp --contextsize 8192', 8192, '--contextsize 8192 of koboldcpp'],
])('%s: one request gets %d', (cmd, tokens, why) => {
  expect(contextOf(cmd)).toEqual({ tokens, source: 'command', certainty: 'estimate', why })
})

test.each([
  ['vllm serve a', 'no --max-model-len: vLLM decides, known once it runs'],
  ['vllm serve a --max-model-len auto', '--max-model-len is no number here: vLLM decides'],
  ['vllm serve a --max-model-len -1', '--max-model-len is no number here: vLLM decides'],
  ['koboldcpp --contextsize 8k', '--contextsize is no number here: koboldcpp decides'],
  ['koboldcpp --contextsize', 'no --contextsize: koboldcpp decides, known once it runs'],
  ['whisper-server -c 4096', 'makes or reads media, which has no context'],
  ['/opt/run.sh -c 4096', 'the command does not name a server that the gate can read'],
])('%s: the context is not known', (cmd, why) => {
  expect(contextOf(cmd)).toEqual({ tokens: undefined, source: 'unknown', why })
})
