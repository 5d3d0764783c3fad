/** How a key is presented: RFC 6750, RFC 7617, or Anthropic's field. */
export type CredentialScheme = 'bearer' | 'basic' | 'x-api-key'

/** What a request presents to say who it is. */
export type Credential =
  | { kind: 'none' }
  | { kind: 'malformed' }
  | { kind: 'conflict' }
  | { kind: 'secret'; secret: string; scheme: CredentialScheme }

// RFC 6750 §2.1 with RFC 9110 §11.4: the scheme in any case, one or more spaces, one token. A comma would mean that
// two fields were joined, so it can never be part of a token.
const BEARER = /^bearer +([\x21-\x2b\x2d-\x7e]+)$/i
const BASIC = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i
const TOKEN = /^[\x21-\x2b\x2d-\x7e]+$/
// RFC 9110 §5.5: blanks around a value are space and tab. trim() takes more, U+00A0 too, which other checks would not.
const NOT_ASCII_TEXT = /[^\t\x20-\x7e]/

/**
 * The only place that reads credentials. Authorization (Bearer, or Basic with the key as password, RFC 7617) and
 * x-api-key count alike; two that differ are a conflict, so that no check can look at one and another use the other.
 *
 * @param authorization the Authorization field; several are joined by ", " as every runtime does
 * @param apiKey the x-api-key field
 */
export function readCredential(
  authorization: string | undefined,
  apiKey: string | undefined,
): Credential {
  if (NOT_ASCII_TEXT.test(`${authorization ?? ''}${apiKey ?? ''}`)) return { kind: 'malformed' }
  const presented = [fromAuthorization(authorization?.trim()), fromApiKey(apiKey?.trim())]
  const given = presented.filter((credential) => credential !== undefined)
  if (given.some(({ kind }) => kind === 'malformed')) return { kind: 'malformed' }
  const secrets = given.filter((credential) => credential.kind === 'secret')
  if (new Set(secrets.map(({ secret }) => secret)).size > 1) return { kind: 'conflict' }
  return secrets[0] ?? { kind: 'none' }
}

function fromAuthorization(value: string | undefined): Credential | undefined {
  if (value === undefined) return undefined
  const bearer = BEARER.exec(value)
  if (bearer) return { kind: 'secret', secret: bearer[1]!, scheme: 'bearer' }
  const basic = BASIC.exec(value)
  return basic ? fromBasic(basic[1]!) : { kind: 'malformed' }
}

function fromBasic(token68: string): Credential {
  const text = decodeBase64(token68)
  const colon = text?.indexOf(':') ?? -1
  const password = colon < 0 ? '' : text!.slice(colon + 1)
  if (!TOKEN.test(password)) return { kind: 'malformed' }
  return { kind: 'secret', secret: password, scheme: 'basic' }
}

function decodeBase64(text: string): string | undefined {
  try {
    return atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    return undefined
  }
}

function fromApiKey(value: string | undefined): Credential | undefined {
  // An empty field is what a client sends whose variable is unset: nothing presented.
  if (!value) return undefined
  if (!TOKEN.test(value)) return { kind: 'malformed' }
  return { kind: 'secret', secret: value, scheme: 'x-api-key' }
}
