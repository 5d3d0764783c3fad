import type { GateConfig } from '../../src/config/schema.ts'
import { withoutSlash } from '../../src/config/without-slash.ts'

/** Only an example hangs on the answer, so nobody is to wait for it. */
const WITHIN_MS = 2_000

/** The first model that upstream lists; undefined when it has none or does not answer now. */
export async function firstModel({
  url,
  apiKey,
  headers,
}: GateConfig['upstream']): Promise<string | undefined> {
  try {
    const response = await fetch(`${withoutSlash(url)}/v1/models`, {
      headers: {
        ...headers,
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      signal: AbortSignal.timeout(WITHIN_MS),
      redirect: 'manual',
    })
    return firstId(await response.json())
  } catch {
    return undefined
  }
}

function firstId(listing: unknown): string | undefined {
  if (typeof listing !== 'object' || listing === null || !('data' in listing)) return undefined
  const first: unknown = Array.isArray(listing.data) ? listing.data[0] : undefined
  if (typeof first !== 'object' || first === null || !('id' in first)) return undefined
  return typeof first.id === 'string' ? first.id : undefined
}
