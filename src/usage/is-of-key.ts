/**
 * Whether requests under a name are those of a key: under its own, or, where the key is another gate's, under the name
 * of one of that gate's clients (`key/client`).
 */
export function isOfKey(name: string, keyId: string): boolean {
  return name === keyId || name.startsWith(`${keyId}/`)
}
