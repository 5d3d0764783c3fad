import { PROVIDER_ID } from '../../opencode/render-config.ts'
import { writeCommand } from '../../opencode/write-command.ts'
import type { Snippet } from '../clients.ts'
import { shellWord } from '../quoting.ts'
import { contextNotes, keyBlock, type Target } from '../target.ts'

/** OpenCode reads everything from one file, which the gate writes. */
export function opencodeSettings(target: Target): Omit<Snippet, 'client'> {
  const { baseUrl, keyVariable, model } = target
  return {
    title: 'OpenCode',
    blocks: [
      keyBlock(target),
      {
        where:
          'The same terminal, in the folder of your project; an opencode.json that is there is replaced',
        language: 'sh',
        text: `curl -fsS -H "Authorization: Bearer $${keyVariable}" ${shellWord(`${baseUrl}/opencode.json`)} -o opencode.json
opencode run -m ${shellWord(`${PROVIDER_ID}/${model}`)} 'Say hello'
`,
      },
      {
        where: 'In the place of curl, where an opencode.json of yours is there',
        language: 'sh',
        text: `${writeCommand({ url: baseUrl, keyVariable })}\n`,
      },
    ],
    notes: [
      "curl replaces the whole file. swapgate, the gate's own command in a clone of its repository, puts the gate's provider into yours and leaves the rest of it.",
      `opencode.json holds no key: OpenCode takes it from ${keyVariable}, which must be set wherever OpenCode starts.`,
      'Do the same again when models or their contexts change; OpenCode reads the file when it starts.',
      // Without any model there is nothing to say: the file itself holds every size that is known.
      ...(target.chats.length > 0 ? contextNotes(target, '"limit"') : []),
    ],
  }
}
