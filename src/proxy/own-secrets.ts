import type { GateConfig } from '../config/schema.ts'
import type { GateError } from '../errors/gate-error.ts'
import { UNSAID } from '../errors/read-upstream-error.ts'

/** What is shorter may stand anywhere by chance. */
const LEAST_LENGTH = 8

/**
 * What the gate sends upstream that is nobody else's: a server that repeats what it was sent must not hand it to clients.
 *
 * @returns the key, the configured fields' values, and of `Basic …` or `Bearer …` what stands behind it
 */
export function ownSecrets({
  apiKey,
  headers,
}: Pick<GateConfig['upstream'], 'apiKey' | 'headers'>): string[] {
  const values = Object.values(headers).flatMap((value) => {
    const [, credential] = /^(?:basic|bearer) +(.+)$/i.exec(value) ?? []
    return credential === undefined ? [value] : [value, credential]
  })
  return [...(apiKey === undefined ? [] : [apiKey]), ...values].filter(
    ({ length }) => length >= LEAST_LENGTH,
  )
}

/** Whether a text holds any of the secrets. */
export function holdsAny(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => text.includes(secret))
}

/** The same for the body of an error: JSON may write any letter of a secret as an escape. */
export function isTelling(body: string, secrets: readonly string[]): boolean {
  if (secrets.length === 0) return false
  const escaped = secrets.map((secret) => JSON.stringify(secret).slice(1, -1))
  return holdsAny(body, secrets) || holdsAny(writtenAnew(body), escaped)
}

function writtenAnew(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json))
  } catch {
    return ''
  }
}

/** An error without upstream's own words. */
export function withoutWords(error: GateError): GateError {
  return error.kind === 'upstream-refused'
    ? { kind: error.kind, status: error.status, message: UNSAID }
    : error
}
