import type { CatalogueModel } from '../../llama-swap/catalogue.ts'
import type { Snippet } from '../clients.ts'
import { yamlString } from '../quoting.ts'
import { contextNotes, keyBlock, PLACEHOLDER_MODEL, windowOf, type Target } from '../target.ts'

/** Continue puts secrets of the user and of the environment in the place of `${{ secrets.NAME }}`, wherever it stands. */
const isTemplate = (text: string): boolean => text.includes('{{')

/** Continue, in VS Code and JetBrains, reads its models from a file and its keys from another one. */
export function continueSettings(target: Target): Omit<Snippet, 'client'> {
  const chats = target.chats.filter(({ id }) => !isTemplate(id))
  const first = isTemplate(target.model) ? PLACEHOLDER_MODEL : target.model
  const models =
    chats.length === 0
      ? [modelLines(target, first, undefined)]
      : chats.map((model) => modelLines(target, model.id, model))
  const head = ['name: swapgate', 'version: 1.0.0', 'schema: v1', 'models:']
  return {
    title: 'Continue',
    blocks: [
      {
        where: '~/.continue/config.yaml',
        language: 'yaml',
        text: `${[...head, ...models.flat()].join('\n')}\n`,
      },
      keyBlock(target),
      {
        where: 'The same terminal',
        language: 'sh',
        text: `mkdir -p ~/.continue\n(umask 077 && printf '${target.keyVariable}=%s\\n' "$${target.keyVariable}" >> ~/.continue/.env)\n`,
      },
    ],
    notes: [
      'Continue waits for two hours, so a model may take its time to load.',
      'Leave the role autocomplete to a small model that stays loaded: it asks at every pause in your typing.',
      ...contextNotes(target, 'contextLength'),
      ...missingNotes(target),
    ],
  }
}

function modelLines(target: Target, id: string, model: CatalogueModel | undefined): string[] {
  const window = model && windowOf(model)
  const name = model?.name ?? id
  const can = [
    ...(model?.tools === false ? [] : ['tool_use']),
    ...(model?.input.includes('image') === true ? ['image_input'] : []),
  ]
  return [
    `  - name: ${yamlString(isTemplate(name) ? id : name)}`,
    '    provider: openai',
    `    model: ${yamlString(id)}`,
    `    apiBase: ${yamlString(`${target.baseUrl}/v1`)}`,
    `    apiKey: \${{ secrets.${target.keyVariable} }}`,
    '    roles: [chat, edit, apply]',
    `    capabilities: [${can.join(', ')}]`,
    ...(window
      ? [
          '    defaultCompletionOptions:',
          `      contextLength: ${window.context}`,
          `      maxTokens: ${window.output}`,
        ]
      : []),
  ]
}

function missingNotes({ chats }: Target): string[] {
  const missing = chats.map(({ id }) => id).filter(isTemplate)
  if (missing.length === 0) return []
  return [
    `Left out, since Continue would take a part of the name for a secret: ${missing.join(', ')}.`,
  ]
}
