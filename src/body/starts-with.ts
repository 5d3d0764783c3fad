/** Whether `wanted` stands in `bytes` at `at`. A plain loop: it is asked at every place of a body that could be one. */
export function startsWith(bytes: Uint8Array, wanted: Uint8Array, at: number): boolean {
  if (at + wanted.length > bytes.length) return false
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}
