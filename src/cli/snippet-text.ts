import { CLIENTS, type Snippet } from '../connect/clients.ts'

/** What `swapgate connect CLIENT` prints: each block below its place, then what else to know. */
export function snippetText({ title, blocks, notes }: Snippet): string {
  const parts = [
    title,
    ...blocks.map(({ where, text }) => `# ${where}\n\n${text.trimEnd()}`),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join('\n')] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

/** What `swapgate connect` prints. */
export const CLIENT_LIST = `Programs that the gate has settings for:

${CLIENTS.map((name) => `  swapgate connect ${name}`).join('\n')}
`
