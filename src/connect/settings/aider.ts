import type { Snippet } from '../clients.ts'
import { shellWord } from '../quoting.ts'
import { contextNotes, keyBlock, PATIENCE_SECONDS, type Target } from '../target.ts'

/** aider takes the way to the gate from the environment, and what a model can hold from a file. */
export function aiderSettings(target: Target): Omit<Snippet, 'client'> {
  const { baseUrl, keyVariable, model, window } = target
  // "openai/" says which API to speak, whatever the model.
  const name = shellWord(`openai/${model}`)
  const metadata = window && {
    [`openai/${model}`]: {
      max_tokens: window.output,
      max_input_tokens: window.context,
      max_output_tokens: window.output,
      input_cost_per_token: 0,
      output_cost_per_token: 0,
      litellm_provider: 'openai',
      mode: 'chat',
    },
  }
  return {
    title: 'aider',
    blocks: [
      keyBlock(target),
      ...(metadata
        ? [
            {
              where: '.aider.model.metadata.json in your home folder or your project',
              language: 'json' as const,
              text: `${JSON.stringify(metadata, null, 2)}\n`,
            },
          ]
        : []),
      {
        where: 'The same terminal, in the folder of your project',
        language: 'sh',
        text: `export OPENAI_API_BASE=${shellWord(`${baseUrl}/v1`)}
export OPENAI_API_KEY="$${keyVariable}"
aider --model ${name} --weak-model ${name} --timeout ${PATIENCE_SECONDS}
`,
      },
    ],
    notes: [
      'The weak model, for commit messages, is the same one, so that llama-swap loads no other.',
      ...contextNotes(target, '.aider.model.metadata.json'),
    ],
  }
}
