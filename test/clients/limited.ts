import { expect, onTestFinished } from 'vitest'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { SwapRight } from '../../src/queue/arrival.ts'
import type { Attempt } from './attempts.ts'
import { recordAttempts, statusesOf, waitsOf } from './attempts.ts'
import type { Box } from './gate.ts'
import { startBox } from './gate.ts'
import type { Ask, Sdk, Told } from './sdks.ts'
import { SDKS } from './sdks.ts'
import { zoneAtNoon } from './zone-at-noon.ts'

/** What the keys of all SDKs may do. */
type KeyRules = { limits?: NonNullable<ConfigFile['limits']>; swap?: SwapRight }

/** A key without the rules of the others. */
export const HOLDER = 'sk-holder-0123456789abcdef012345678'
export const MODEL = 'gpt-oss-120b'
export const messages: [{ role: 'user'; content: string }] = [
  { role: 'user', content: 'Say hello.' },
]

/** How much later a request may come than was said, on a slow machine. */
const LATE_MS = 700

/** Every SDK has a key of its own, since they ask at the same time. */
export const secretOf = ({ name }: Pick<Sdk, 'name'>): string =>
  `sk-${name.replaceAll(/\W/g, '')}-0123456789abcdef0123456789abcdef`

/** Starts a box whose keys, one for each SDK, have these rules. */
export async function startLimited(key: KeyRules, rest: ConfigFile = {}): Promise<Box> {
  const box = await startBox({
    limits: { timeZone: zoneAtNoon() },
    ...rest,
    keys: [
      ...SDKS.map((sdk, i) => ({ id: `sdk-${i}`, secret: secretOf(sdk), ...key })),
      { id: 'holder', secret: HOLDER },
    ],
  })
  onTestFinished(() => box.stop())
  return box
}

/** What became of one question: the text or what the SDK threw, and the answers on the way. */
export type Asked = {
  result: { text?: string; thrown?: Omit<Told, 'requestId'>; statuses: (number | undefined)[] }
  attempts: Attempt[]
}

export const WAYS = ['answer', 'stream'] as const

/** Asks as usual: no retry but those of the SDK itself. */
export async function ask(
  sdk: Sdk,
  { url }: Box,
  { way = 'answer', ...rest }: { way?: (typeof WAYS)[number] } & Pick<Ask, 'model'> = {},
): Promise<Asked> {
  const { attempts, fetch } = recordAttempts()
  const asked = { url, key: secretOf(sdk), fetch, ...rest }
  let text = ''
  try {
    if (way === 'answer') ({ text } = await sdk.answer(asked))
    else await sdk.stream(asked, (piece) => (text += piece))
    return { result: { text, statuses: statusesOf(attempts) }, attempts }
  } catch (error) {
    const { requestId: _, ...thrown } = sdk.read(error)
    return { result: { thrown, statuses: statusesOf(attempts) }, attempts }
  }
}

/** Only what came of each question. */
export const resultsOf = (asked: Record<string, Asked>): Record<string, Asked['result']> =>
  Object.fromEntries(Object.entries(asked).map(([name, { result }]) => [name, result]))

/** The same for every SDK. */
export const same = <T>(value: T): Record<string, T> =>
  Object.fromEntries(SDKS.map(({ name }) => [name, value]))

/** A header of an answer. */
export const headerOf = (attempt: Attempt | undefined, name: string): string | null | undefined =>
  attempt?.answer?.headers.get(name)

/** The wait that the first refusal named, and the one that the SDK made behind it, in milliseconds. */
function firstWait({ attempts }: Asked): { told: number; waited: number } {
  const told = Number(headerOf(attempts[0], 'retry-after-ms') ?? Number.NaN)
  return { told, waited: waitsOf(attempts)[0] ?? Number.NaN }
}

/** Every SDK was told to wait for more than `from` and at most `to` milliseconds, and did wait as long as it was told. */
export function expectObeyed(
  asked: Record<string, Asked>,
  { from, to }: { from: number; to: number },
): void {
  for (const { told, waited } of Object.values(asked).map(firstWait)) {
    expect(told).toBeGreaterThan(from)
    expect(told).toBeLessThanOrEqual(to)
    // Timers of Node may be a millisecond early.
    expect(waited).toBeGreaterThan(told - 2)
    expect(waited).toBeLessThan(told + LATE_MS)
  }
}

/** Questions that upstream got. */
export const callsOf = ({ upstream }: Box): number =>
  upstream.requests.filter(({ method }) => method === 'POST').length
