import type { Snippet } from '../clients.ts'
import { shellWord } from '../quoting.ts'
import { keyBlock, type Target } from '../target.ts'

/** The list of models, and an answer as it is written. */
export function curlSettings(target: Target): Omit<Snippet, 'client'> {
  const { baseUrl, keyVariable, model } = target
  const body = {
    model,
    messages: [{ role: 'user', content: 'Say hello' }],
    stream: true,
  }
  return {
    title: 'curl',
    blocks: [
      keyBlock(target),
      {
        where: 'The same terminal: the models that the key may use',
        language: 'sh',
        text: `curl -sS -H "Authorization: Bearer $${keyVariable}" ${shellWord(`${baseUrl}/v1/models`)}\n`,
      },
      {
        where: 'The same terminal: an answer, as it is written',
        language: 'sh',
        text: `curl -sSN -H "Authorization: Bearer $${keyVariable}" -H 'Content-Type: application/json' \\
  -d ${shellWord(JSON.stringify(body))} \\
  ${shellWord(`${baseUrl}/v1/chat/completions`)}
`,
      },
    ],
    notes: [
      'While a model loads nothing comes for a while. Lines that begin with a colon are heartbeats.',
    ],
  }
}
