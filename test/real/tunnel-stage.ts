import { harness as node } from '../../adapters/node/harness.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import { KEYS, ROOMY } from '../conformance/gates.ts'
import type { Harness, Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { countedLine } from './counted-line.ts'
import { freePort } from '../support/free-port.ts'
import { startSshServer } from './openssh.ts'

/** Everything between a client and a model: gate at the VPS, sshd, ssh -R, counted line, gate at home, look-alike. */
export interface Stage {
  upstream: LookAlike
  /** The gate at the public end: what clients talk to. */
  vps: Running
  home: Home
  killSsh: () => Promise<void>
  startSsh: () => Promise<void>
  /** The line goes dead: nothing comes through, and nobody is told. */
  freezeSsh: () => void
  /** Notes what happened, with its time, for a person to read. */
  tell: (what: string) => void
  /** What was told, and sshd's log. */
  report: () => string
  stop: () => Promise<void>
}

/** The gate at home, on Node. */
export interface Home {
  stop: () => Promise<void>
  start: () => Promise<void>
  /** What it has written since it was started last. */
  log: () => string
  /** Bytes that have come out of the tunnel. */
  bytes: () => number
}

/** Between two heartbeats of the gate at home. */
export const BEAT_MS = 2000
/** After so much silence in a stream the gate at the VPS takes the line for dead: the home would have sent heartbeats. */
export const DEAD_AFTER_MS = 3 * BEAT_MS

const EDGE_KEY = 'sk-edge-0123456789abcdef0123456789ab'

/** The gate at home: one key, that of the gate in front of it. */
function homeConfig(upstream: LookAlike): ConfigFile {
  return {
    ...ROOMY,
    upstream: { url: upstream.url },
    keys: [{ id: 'edge', secret: EDGE_KEY, edge: true }],
    heartbeat: { afterMs: BEAT_MS, everyMs: BEAT_MS },
  }
}

/** The gate on the VPS: it knows the clients' keys, and nobody's word but that of a TLS proxy beside it. */
function vpsConfig(tunnelPort: number): ConfigFile {
  return {
    keys: [{ id: 'friend', secret: KEYS.user }],
    limits: { requestsPerMinute: null },
    usage: { file: null },
    upstream: { kind: 'swapgate', url: `http://127.0.0.1:${tunnelPort}`, apiKey: EDGE_KEY },
    timeouts: { upstreamSilenceMs: DEAD_AFTER_MS },
    trustedProxies: [{ from: ['127.0.0.1'], kind: 'x-forwarded-for' }],
  }
}

/** Builds the whole way, with the gate of one runtime at the public end. */
export async function startStage(harness: Harness): Promise<Stage> {
  const parts: { stop: () => Promise<void> }[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(parts.map((part) => part.stop()))
  }
  /** What has been started is stopped in the end, also when the rest does not start. */
  const keep = async <Part extends { stop: () => Promise<void> }>(
    starting: Promise<Part>,
  ): Promise<Part> => {
    const part = await starting
    parts.push(part)
    return part
  }
  try {
    return { ...(await build(harness, keep)), stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

type Keep = <Part extends { stop: () => Promise<void> }>(starting: Promise<Part>) => Promise<Part>

async function build(harness: Harness, keep: Keep): Promise<Omit<Stage, 'stop'>> {
  const ends = { vps: await freePort(), home: await freePort() }
  const diary = openDiary(harness.name)
  const upstream = await keep(startLookAlike())
  const ssh = await keep(startSshServer(ends.vps))
  const home = await keep(startHome(ends.home, upstream))
  const vps = await keep(harness.start(vpsConfig(ends.vps)))
  let tunnel = await ssh.openTunnel(ends)
  diary.tell(`ssh -R ${ends.vps} -> ${ends.home} is up`)
  return {
    upstream,
    vps,
    home,
    tell: diary.tell,
    report: () => [...diary.told, `sshd of ${harness.name}:`, ssh.log()].join('\n'),
    async killSsh() {
      await tunnel.kill()
      diary.tell('ssh killed (SIGKILL)')
    },
    freezeSsh() {
      tunnel.process.kill('SIGSTOP')
      diary.tell('ssh frozen (SIGSTOP)')
    },
    async startSsh() {
      tunnel = await ssh.openTunnel(ends)
      diary.tell('ssh started again')
    },
  }
}

/** The gate at home behind a line of its own, so that it can leave and come back at the same port. */
async function startHome(port: number, upstream: LookAlike): Promise<Home> {
  const line = countedLine(port)
  let gate: Running
  const start = async (): Promise<void> => {
    gate = await node.start(homeConfig(upstream))
    await line.open(Number(new URL(gate.url).port))
  }
  await start()
  return {
    start,
    stop: async () => void (await Promise.all([line.close(), gate.stop()])),
    log: () => gate.output(),
    bytes: line.bytes,
  }
}

function openDiary(name: string): { told: string[]; tell: (what: string) => void } {
  const began = performance.now()
  const told: string[] = []
  return {
    told,
    tell(what) {
      const seconds = ((performance.now() - began) / 1000).toFixed(3).padStart(7)
      told.push(`${name.padEnd(8)}${seconds} s  ${what}`)
    },
  }
}
