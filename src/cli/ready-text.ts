/** What the person who started the gate needs next. */
export type Ready = {
  /** Where clients reach the gate, without a trailing slash. */
  url: string
  /** Where other machines reach it, when it listens for them at an address that is not one to go to. */
  urlElsewhere: string | undefined
  upstream: 'llama-swap' | 'demo' | 'given'
  upstreamUrl: string
  /** The demo was not asked for: llama-swap is missing. */
  isStandIn: boolean
  /** A model for the example; undefined when upstream lists none. */
  model: string | undefined
  /** The key that was made just now, and the file that keeps its hash. */
  newKey: { secret: string; file: string } | undefined
}

/** The words on the terminal once everything runs: base URL, a new key, a line to paste. */
export function readyText(ready: Ready): string {
  const key = ready.newKey
    ? [
        `  Key       ${ready.newKey.secret}`,
        `            New, and shown only this once: ${ready.newKey.file} holds its hash.`,
      ]
    : []
  return [
    '',
    `  Base URL  ${ready.url}/v1`,
    ...elsewhereLines(ready),
    ...key,
    `  Upstream  ${describeUpstream(ready)}`,
    '',
    `  ${ready.newKey ? 'Try it:' : 'Try it, with one of your keys in SWAPGATE_KEY:'}`,
    '',
    curlLine(ready),
    '',
    ...hints(ready),
    '  Ctrl-C stops everything.',
    '',
    ...standInLines(ready),
    '',
  ].join('\n')
}

function elsewhereLines({ urlElsewhere }: Ready): string[] {
  if (urlElsewhere === undefined) return []
  return [`            From other machines: ${urlElsewhere}/v1`]
}

function describeUpstream({ upstream, upstreamUrl }: Ready): string {
  switch (upstream) {
    case 'llama-swap':
      return `llama-swap on ${upstreamUrl}`
    case 'demo':
      return 'the built-in demo: fixed replies, no model behind it'
    case 'given':
      return `${upstreamUrl} (not started from here)`
  }
}

function hints({ upstream }: Ready): string[] {
  if (upstream !== 'llama-swap') return []
  return ['  The first answer comes when the model is loaded. To set up OpenCode: docs/opencode.md']
}

/** At the very end, where the eye rests: the demo's replies are not to be taken for a model's. */
function standInLines({ isStandIn }: Ready): string[] {
  if (!isStandIn) return []
  return [
    '  NO MODEL: llama-swap was not found (see above), so every answer comes from the demo.',
    '',
  ]
}

function curlLine({ url, model, newKey }: Ready): string {
  const body = JSON.stringify({
    model: model ?? 'MODEL',
    stream: true,
    messages: [{ role: 'user', content: 'Say hello.' }],
  })
  return [
    `curl -N ${url}/v1/chat/completions`,
    `-H "Authorization: Bearer ${newKey?.secret ?? '$SWAPGATE_KEY'}"`,
    `-H 'Content-Type: application/json'`,
    `-d ${shellQuoted(body)}`,
  ].join(' ')
}

/** One word for any POSIX shell: nothing is special between single quotes but the quote itself. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
