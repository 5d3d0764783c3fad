/** Families whose chat models think before they answer unless told otherwise, by what their names hold. */
const THINKING = [
  /gpt-?oss/,
  /deepseek-?r1/,
  /qwq/,
  /glm-?(?:4\.[5-9]|[5-9])/,
  /magistral/,
  /(?<!non-?|no-?)(?:thinking|reasoning|reasoner)/,
]

/** Qwen3 thinks; its branches that carry one of these words do not, or nobody can tell. */
const QWEN3 = /qwen-?3(?!.*(?:coder|instruct|vl|omni|next|embed|rerank|asr|tts))/

/** Whether a model of this name thinks; a guess from a short list of families, wrong for what is not in it. */
export function soundsThinking(...names: readonly (string | undefined)[]): boolean {
  const text = names.join(' ').toLowerCase().replaceAll('_', '-')
  return [...THINKING, QWEN3].some((family) => family.test(text))
}
