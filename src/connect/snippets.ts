import type { ClientName, ConnectTo, Snippet } from './clients.ts'
import { aiderSettings } from './settings/aider.ts'
import { claudeSettings } from './settings/claude.ts'
import { codexSettings } from './settings/codex.ts'
import { continueSettings } from './settings/continue.ts'
import { curlSettings } from './settings/curl.ts'
import { opencodeSettings } from './settings/opencode.ts'
import { openWebuiSettings } from './settings/open-webui.ts'
import { zedSettings } from './settings/zed.ts'
import { targetOf, type Target } from './target.ts'

const SETTINGS: Record<ClientName, (target: Target) => Omit<Snippet, 'client'>> = {
  opencode: opencodeSettings,
  claude: claudeSettings,
  codex: codexSettings,
  zed: zedSettings,
  continue: continueSettings,
  'open-webui': openWebuiSettings,
  aider: aiderSettings,
  curl: curlSettings,
}

/**
 * The settings with which a client reaches the gate, ready to paste. The key never stands in them, only the variable
 * that holds it; sizes stand in them only where they are known.
 */
export function snippetFor(client: ClientName, to: ConnectTo): Snippet {
  return { client, ...SETTINGS[client](targetOf(to)) }
}
