/** What can be tuned about the demo. */
export interface DemoOptions {
  /** How long a model takes to load, in milliseconds. Default 1500. */
  readonly loadMs: number
  /** Pace of one answer. Default 60. */
  readonly tokensPerSecond: number
}

/** A usable set of settings, or the sentence that says which variable is wrong. */
export type Settings =
  | { readonly ok: true; readonly host: string; readonly port: number; readonly demo: DemoOptions }
  | { readonly ok: false; readonly message: string }

export const DEFAULT_OPTIONS: DemoOptions = { loadMs: 1500, tokensPerSecond: 60 }

const MAX_PORT = 65_535

/** Reads HOST, PORT, DEMO_LOAD_MS and DEMO_TOKENS_PER_SECOND; an empty variable counts as unset. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const port = Number(env['PORT'] || 8080)
  const loadMs = Number(env['DEMO_LOAD_MS'] || DEFAULT_OPTIONS.loadMs)
  const tokensPerSecond = Number(env['DEMO_TOKENS_PER_SECOND'] || DEFAULT_OPTIONS.tokensPerSecond)
  if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) {
    return { ok: false, message: `PORT must be a port number, not "${env['PORT']}"` }
  }
  if (!(loadMs >= 0)) {
    return { ok: false, message: `DEMO_LOAD_MS must be 0 or more, not "${env['DEMO_LOAD_MS']}"` }
  }
  if (!(tokensPerSecond > 0)) {
    const given = env['DEMO_TOKENS_PER_SECOND']
    return { ok: false, message: `DEMO_TOKENS_PER_SECOND must be above 0, not "${given}"` }
  }
  return { ok: true, host: env['HOST'] || '127.0.0.1', port, demo: { loadMs, tokensPerSecond } }
}
