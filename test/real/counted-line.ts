import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A piece of wire with a meter: one port of 127.0.0.1 whose connections go on to another one, byte for byte. */
export interface CountedLine {
  port: number
  /** Bytes that have gone towards the target so far. */
  bytes: () => number
  /** Takes connections again, on the same port. */
  open: (target: number) => Promise<void>
  /** Takes no more connections and drops those it has: to everybody else the target is gone. */
  close: () => Promise<void>
}

/** Makes a line that is not open yet. */
export function countedLine(port: number): CountedLine {
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let bytes = 0

  function join(from: Socket, target: number): void {
    const to = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
    for (const socket of [from, to]) {
      sockets.add(socket)
      // A reset on one side is passed on as the close that follows it.
      socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    }
    from.on('data', (chunk) => (bytes += chunk.length))
    from.pipe(to).once('close', () => from.destroy())
    to.pipe(from).once('close', () => to.destroy())
  }

  return {
    port,
    bytes: () => bytes,
    async open(target) {
      server = createServer({ allowHalfOpen: true }, (from) => join(from, target))
      await once(server.listen(port, '127.0.0.1'), 'listening')
    },
    async close() {
      if (!server?.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
