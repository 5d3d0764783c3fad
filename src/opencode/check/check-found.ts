import type { CheckInput, GateFacts } from './check-input.ts'
import { checkBaseUrl } from './address/check-base-url.ts'
import { checkV2 } from './check-v2.ts'
import type { Finding, Found } from './finding.ts'
import { gateUrl } from '../../connect/gate-url.ts'
import { commandFor } from './next-command.ts'
import { isLocal, isNearGate, isPastGate, parseUrl, urlOf } from './providers-of-gate.ts'
import { readProviders, type WrittenProvider } from './read-written.ts'

/** What is told of other places than the gate's own providers, and what is said where there are none. */
export function checkAround(input: CheckInput, ours: readonly WrittenProvider[]): Found[] {
  const second = checkV2(input)
  return ours.length > 0 || second.length > 0 ? second : noProvider(input)
}

function noProvider(input: CheckInput): Found[] {
  const { gate } = input
  const providers = readProviders(input)
  const path = ['provider']
  // Where nobody has said where the gate is, it may well be where the file leads.
  const isGuess = !gate.isNamed && !gate.isSure
  const perhaps = providers.filter((provider) => isPerhapsHere(gate, provider))
  const others = providers.filter((provider) => !perhaps.includes(provider))
  const adds = `"${commandFor(input, path)}" adds it.`
  const missing: Found = {
    code: 'provider-missing',
    severity: isGuess || perhaps.length > 0 ? 'warning' : 'error',
    path,
    message: `No provider leads to the gate at ${gate.urls[0]}.`,
    fix: [
      ...perhaps.map(
        (provider) =>
          `If ${provider.id} is for this gate, check with --url ${urlOf(provider)?.origin}.`,
      ),
      perhaps.length > 0 ? `If not, ${adds}` : adds,
      ...(isGuess ? ['If the gate is elsewhere, name it with --url.'] : []),
      ...others.flatMap((provider) => meant(input, provider)),
    ].join(' '),
    changes: [],
  }
  const near = providers.filter((provider) => isNearGate(provider, gate))
  return [missing, ...near.flatMap((provider) => nearly(input, provider))]
}

/** The gate's own port of a machine that may be this one: it has more names than are known here. */
function isPerhapsHere(gate: GateFacts, provider: WrittenProvider): boolean {
  const url = urlOf(provider)
  if (!url || gate.isNamed || url.port === '' || isNearGate(provider, gate)) return false
  return !isLocal(url) && gate.urls.some((known) => new URL(known).port === url.port)
}

/** It may lead where it is meant to, so a person has to say. */
function nearly(input: CheckInput, provider: WrittenProvider): Found[] {
  return checkBaseUrl(input, provider).map((found) => ({
    ...found,
    severity: 'warning',
    fix: `${found.fix.replace(/\.$/, '')}, if ${provider.id} is meant for the gate.`,
    changes: [],
  }))
}

/** Another server with models of the same names; one in the cloud has them by chance. */
function meant({ gate }: CheckInput, provider: WrittenProvider): string[] {
  const url = urlOf(provider)
  const hasSame = provider.models.some(({ real }) => real)
  if (url?.protocol !== 'http:' || !hasSame || isNearGate(provider, gate)) return []
  return [
    `${provider.id} has models of the gate, but leads to ${url.host}; if it is meant for the gate, its baseURL is "${gate.urls[0]}/v1".`,
  ]
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
