import { createHash } from 'node:crypto'
import type { Sha256 } from '../../src/deps.ts'

/** SHA-256 without a promise: on Node twenty times faster than `crypto.subtle` for something as short as a key. */
export const sha256: Sha256 = (text) => createHash('sha256').update(text).digest('hex')
