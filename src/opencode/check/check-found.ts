import { entries, field } from '../../llama-swap/read-unknown.ts'
import type { CheckInput, GateFacts } from './check-input.ts'
import type { Finding, Found } from './finding.ts'
import { gateUrl } from './gate-url.ts'
import { isPastGate, leadsToGate, parseUrl } from './providers-of-gate.ts'
import { text, type WrittenProvider } from './read-written.ts'

/** What is said where no provider leads to the gate: there may be one in the form of OpenCode 2. */
export function noProvider({ document, gate, machine }: CheckInput): Found[] {
  const second = entries(field(document.value, 'providers')).filter(([, provider]) => {
    const written = text(field(field(provider, 'settings'), 'baseURL'))
    return leadsToGate(parseUrl(machine.replaced(written ?? '')), gate)
  })
  if (second.length > 0) return second.map(([id]) => notChecked(id))
  // Where nobody has said where the gate is, it may well be where the file leads.
  const isGuess = !gate.isNamed && !gate.isSure
  return [
    {
      code: 'provider-missing',
      severity: isGuess ? 'warning' : 'error',
      path: ['provider'],
      message: `No provider leads to the gate at ${gate.urls[0]}.`,
      fix: `"swapgate opencode --write" adds it.${isGuess ? ' If the gate is elsewhere, name it with --url.' : ''}`,
      changes: [],
    },
  ]
}

function notChecked(id: string): Found {
  return {
    code: 'v2-not-checked',
    severity: 'hint',
    path: ['providers', id],
    message: `${id} leads to the gate in the form of OpenCode 2; its limits are not checked.`,
    fix: '"swapgate opencode --write" writes the form that both read.',
    changes: [],
  }
}

/** What is said where nobody knows what models there are, so that no limit could be compared. */
export function nothingToCompare(
  { models, gate }: CheckInput,
  providers: readonly WrittenProvider[],
): Finding[] {
  if (models) return []
  const code = 'nothing-to-compare'
  if (gate.isNamed)
    return [
      {
        code,
        severity: 'hint',
        where: gate.urls[0],
        path: [],
        message: 'The gate did not give its models, so the limits were compared with nothing.',
        fix: 'Mend what is wrong on the way to the gate, and check again.',
        changes: [],
      },
    ]
  return [
    {
      code,
      severity: 'warning',
      where: gate.modelFile,
      path: [],
      message: 'This file is not there, so the limits were compared with nothing.',
      fix: `Ask a gate that runs: --url ${addressIn(providers, gate) ?? 'http://<box>:3000'}`,
      changes: [],
    },
  ]
}

/** The gate that the file itself names; llama-swap behind it is none. */
function addressIn(providers: readonly WrittenProvider[], gate: GateFacts): string | undefined {
  const urls = providers.flatMap(({ baseUrl: { address = '' } }) => {
    const url = parseUrl(address)
    const isBehind = url && isPastGate(url, { ...gate, isUpstreamKnown: true })
    // Without what may stand around it: a name and a password, a query.
    const known = url && !isBehind ? gateUrl(url.origin + url.pathname) : undefined
    return known?.ok ? [known.url] : []
  })
  return new Set(urls).size === 1 ? urls[0] : undefined
}
