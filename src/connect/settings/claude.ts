import type { Snippet } from '../clients.ts'
import { shellWord } from '../quoting.ts'
import { contextNotes, keyBlock, PATIENCE_SECONDS, type Target, type Window } from '../target.ts'

/** What CLAUDE_CODE_AUTO_COMPACT_WINDOW can say at least and at most; the smaller of it and the context counts. */
const COMPACT_WINDOW = { least: 100_000, most: 1_000_000 }
/** What Claude Code 2.1 keeps free below the window, beside the answer. */
const MARGIN = 13_000
/** What it keeps free for an answer at most. */
const MOST_FOR_ANSWER = 20_000
/** Its own prompt and tools take some 25,000 tokens of it. */
const LEAST_USEFUL_CONTEXT = 65_536

/** Claude Code speaks Anthropic's API, at the base URL without `/v1`. */
export function claudeSettings(target: Target): Omit<Snippet, 'client'> {
  const { baseUrl, keyVariable, model, window } = target
  const settings = [
    ['ANTHROPIC_BASE_URL', shellWord(baseUrl)],
    ['ANTHROPIC_AUTH_TOKEN', `"$${keyVariable}"`],
    // Titles, summaries and subagents ask for the others.
    ...['MODEL', 'DEFAULT_HAIKU_MODEL', 'DEFAULT_SONNET_MODEL', 'DEFAULT_OPUS_MODEL'].map(
      (name) => [`ANTHROPIC_${name}`, shellWord(model)],
    ),
    ...(window ? sizes(window) : []),
    ['API_TIMEOUT_MS', PATIENCE_SECONDS * 1000],
    ['CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC', 1],
  ]
  const lines = settings.map(([name, value]) => `export ${name}=${value}`)
  return {
    title: 'Claude Code',
    blocks: [
      keyBlock(target),
      {
        where: 'The same terminal',
        language: 'sh',
        text: `unset ANTHROPIC_API_KEY\n${lines.join('\n')}\nclaude\n`,
      },
    ],
    notes: [
      'All four models are the same one, so that no title or subagent makes llama-swap load another.',
      ...contextNotes(target, 'CLAUDE_CODE_MAX_CONTEXT_TOKENS'),
      ...windowNotes(model, window),
    ],
  }
}

function sizes({ context, output }: Window): [name: string, tokens: number][] {
  const { least, most } = COMPACT_WINDOW
  return [
    ['CLAUDE_CODE_MAX_CONTEXT_TOKENS', context],
    // The size alone only draws its meter: 2.1.197 compacts ahead of the limit only where this is set, too.
    ['CLAUDE_CODE_AUTO_COMPACT_WINDOW', Math.min(Math.max(context, least), most)],
    ['CLAUDE_CODE_MAX_OUTPUT_TOKENS', output],
  ]
}

function windowNotes(model: string, window: Window | undefined): string[] {
  if (!window)
    return [
      'Without it Claude Code assumes 200,000 tokens, and compacts only when the gate answers that the prompt is too long.',
    ]
  if (model.startsWith('claude-'))
    return [
      'Claude Code ignores CLAUDE_CODE_MAX_CONTEXT_TOKENS for names that begin with "claude-" and assumes 200,000 tokens: use the model\'s own name.',
    ]
  const { context, output } = window
  const compacts = context - Math.min(output, MOST_FOR_ANSWER) - MARGIN
  const when = `It compacts by itself at about ${grouped(compacts)} tokens: CLAUDE_AUTOCOMPACT_PCT_OVERRIDE can make that earlier, nothing makes it later.`
  if (context >= LEAST_USEFUL_CONTEXT) return [when]
  return [
    `A context of ${grouped(context)} tokens is little for Claude Code, whose own prompt and tools fill much of it: better from ${grouped(LEAST_USEFUL_CONTEXT)} on.`,
  ]
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}
