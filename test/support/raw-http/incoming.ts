import type { Socket } from 'node:net'

/** How the other side ended the connection. */
export type PeerEnding = 'fin' | 'reset'

/** What has arrived on a connection so far. */
export type Incoming = {
  /** Everything. */
  bytes(): Buffer
  /** What came after a position. */
  since(position: number): Buffer
  /** Waits until a condition holds; it is looked at again whenever something arrives. */
  until(condition: () => boolean, withinMs: number): Promise<void>
  ending(): 'open' | PeerEnding
  peerEnded: Promise<PeerEnding>
}

/** Gathers what arrives and wakes whoever waits for more. */
export function collect(socket: Socket): Incoming {
  const parts: Buffer[] = []
  let length = 0
  let ending: 'open' | PeerEnding = 'open'
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const check of waiting) check()
  }
  const peerEnded = new Promise<PeerEnding>((resolve) => {
    const end = (how: PeerEnding) => {
      if (ending === 'open') ending = how
      resolve(ending)
      wake()
    }
    socket.on('end', () => end('fin'))
    socket.on('error', () => end('reset'))
  })
  socket.on('data', (part: Buffer) => {
    parts.push(part)
    length += part.length
    wake()
  })

  /** One buffer of everything; joined late, since most waits look at new bytes only. */
  function bytes(): Buffer {
    if (parts.length > 1) parts.splice(0, parts.length, Buffer.concat(parts))
    return parts[0] ?? Buffer.alloc(0)
  }

  /** The bytes after a position, joining only those. */
  function since(position: number): Buffer {
    const fresh: Buffer[] = []
    let missing = length - position
    for (let i = parts.length - 1; missing > 0; i--) {
      const part = parts[i]!
      fresh.unshift(part.length > missing ? part.subarray(part.length - missing) : part)
      missing -= part.length
    }
    return Buffer.concat(fresh)
  }

  function until(condition: () => boolean, withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer)
        waiting.delete(check)
        settle()
      }
      const check = () => {
        try {
          if (condition()) finish(resolve)
          else if (ending !== 'open') finish(() => reject(tooFew(`the peer ended (${ending})`)))
        } catch (error) {
          finish(() => reject(error))
        }
      }
      const timer = setTimeout(
        () => finish(() => reject(tooFew(`nothing more within ${withinMs} ms`))),
        withinMs,
      )
      waiting.add(check)
      check()
    })
  }

  function tooFew(why: string): Error {
    return new Error(`${why}; received ${length} bytes: ${bytes().toString('latin1', 0, 2000)}`)
  }

  return { bytes, since, until, peerEnded, ending: () => ending }
}
