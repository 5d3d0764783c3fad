const SECRET_BYTES = 32

/** A fresh key: `sk-` and 256 random bits in base64url (RFC 4648 §5), 43 characters. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  const base64 = btoa(String.fromCharCode(...bytes))
  return `sk-${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}
