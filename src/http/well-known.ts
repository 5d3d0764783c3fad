import type { GateConfig } from '../config/schema.ts'
import { withoutSlash } from '../config/without-slash.ts'
import { KEY_VARIABLE, PROVIDER_ID } from '../opencode/render-config.ts'
import type { GateMiddleware } from './gate-env.ts'
import { freshText } from './own-answer.ts'

/**
 * Asks for the key at the terminal, without showing it: OpenCode runs this on the user's machine, connects no standard
 * input, and takes what is printed as the key. Fixed, so that no request decides what others run. Whoever leaves it with
 * Ctrl-C gets the terminal back as it was, and no empty key.
 */
const ASK_FOR_KEY = `trap 'stty echo </dev/tty' EXIT; trap 'exit 1' HUP INT TERM; stty -echo </dev/tty; printf 'API key of the gate: ' >/dev/tty; read -r key </dev/tty; echo >/dev/tty; printf %s "$key"`

/**
 * `GET /.well-known/opencode`, which `opencode auth login <publicUrl>` reads: how to get a key, and where the
 * configuration is. Everybody may read it, so it names no model. Where it is not switched on the path is unknown.
 */
export function wellKnown({ opencode, publicUrl }: GateConfig): GateMiddleware {
  if (!opencode.wellKnown || publicUrl === undefined) return (_c, next) => next()
  const text = JSON.stringify({
    auth: { command: ['sh', '-c', ASK_FOR_KEY], env: KEY_VARIABLE },
    // A key that was stored by a login takes the place of {env:…} in the text only; a provider's "env" does not see it.
    config: { provider: { [PROVIDER_ID]: { options: { apiKey: `{env:${KEY_VARIABLE}}` } } } },
    remote_config: {
      url: `${withoutSlash(publicUrl)}/opencode.json`,
      headers: { Authorization: `Bearer {env:${KEY_VARIABLE}}` },
    },
  })
  return async (c) => freshText(c, text, 'application/json')
}
