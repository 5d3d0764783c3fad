import type { Snippet } from '../clients.ts'
import { tomlString } from '../quoting.ts'
import { contextNotes, keyBlock, PATIENCE_SECONDS, type Target } from '../target.ts'

/** Codex speaks OpenAI's Responses API, and only that since February 2026. */
export function codexSettings(target: Target): Omit<Snippet, 'client'> {
  const { baseUrl, keyVariable, model, window } = target
  const sizes = window
    ? [
        `model_context_window = ${window.context}`,
        `model_auto_compact_token_limit = ${window.context - window.output}`,
      ]
    : []
  const lines = [
    `model = ${tomlString(model)}`,
    'model_provider = "swapgate"',
    ...sizes,
    '# OpenAI runs that tool itself; llama-server has none.',
    'web_search = "disabled"',
    '',
    '[model_providers.swapgate]',
    'name = "swapgate"',
    `base_url = ${tomlString(`${baseUrl}/v1`)}`,
    `env_key = ${tomlString(keyVariable)}`,
    'wire_api = "responses"',
    `stream_idle_timeout_ms = ${PATIENCE_SECONDS * 1000}`,
  ]
  return {
    title: 'Codex',
    blocks: [
      keyBlock(target),
      {
        where: '~/.codex/swapgate.config.toml',
        language: 'toml',
        text: `${lines.join('\n')}\n`,
      },
      {
        where: 'The same terminal, in the folder of your project',
        language: 'sh',
        text: "codex exec --profile swapgate 'Say hello'\n",
      },
    ],
    notes: [
      'A file of its own leaves your config.toml alone: codex --profile swapgate starts with it. Codex takes no provider from a project.',
      ...contextNotes(target, 'model_context_window'),
    ],
  }
}
