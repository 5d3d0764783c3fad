import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { DOCUMENTED_PORTS, serverSettings, tunnelCommand } from './tunnel-recipe.ts'

/** The two ends of a reverse tunnel, both on 127.0.0.1: who connects to `vps` reaches `home`. */
export interface Ends {
  vps: number
  home: number
}

export interface SshServer {
  /** What sshd has written, at LogLevel VERBOSE. */
  log: () => string
  /** Starts `ssh -R` as docs/tunnel.md does and waits until its port takes connections. */
  openTunnel: (ends: Ends) => Promise<Tunnel>
  stop: () => Promise<void>
}

export interface Tunnel {
  process: ChildProcess
  /** All that ssh has said, once it has ended. */
  said: Promise<string>
  /** SIGKILL: no word to sshd, as when the machine at home loses its power. */
  kill: () => Promise<void>
}

const DEFAULT_ROOT = '/var/cache/swapgate/openssh-root'
const START_WITHIN_MS = 10_000
/** Of the user nobody. sshd as root would need a user and a folder of the system for its unprivileged part. */
const UNPRIVILEGED = 65_534
const USER = 'tunnel'

const HOW_TO_GET_IT = `These tests need a real sshd, in a folder of its own, and this machine has none.
On Debian or Ubuntu run \`bash test/real/setup-openssh.sh\` once (some seconds, 10 MB; installs nothing).
It fills $SWAPGATE_OPENSSH_ROOT or ${DEFAULT_ROOT}.`

interface Programs {
  sshd: string
  ssh: string
  keygen: string
  environment: Record<string, string>
  /** Lets sshd know a user of the test's own. */
  wrapper: string
}

/** Fails with the way to get it, because a skipped test would look like a passed one. */
function requireOpenSsh(): Programs {
  const root = resolve(process.env['SWAPGATE_OPENSSH_ROOT'] || DEFAULT_ROOT)
  const sshd = join(root, 'usr/sbin/sshd')
  if (!existsSync(sshd)) throw new Error(HOW_TO_GET_IT)
  const folders = readdirSync(join(root, 'usr/lib')).filter((name) => name.includes('-linux-'))
  const libraries = ['lib', 'usr/lib'].flatMap((lib) =>
    folders.map((folder) => join(root, lib, folder)),
  )
  const wrapper = libraries.map((folder) => join(folder, 'libnss_wrapper.so')).find(existsSync)
  if (wrapper === undefined) throw new Error(`${root} is not complete; delete it. ${HOW_TO_GET_IT}`)
  return {
    sshd,
    ssh: join(root, 'usr/bin/ssh'),
    keygen: join(root, 'usr/bin/ssh-keygen'),
    environment: { LD_LIBRARY_PATH: libraries.join(':') },
    wrapper,
  }
}

/**
 * Starts an sshd for one test, with keys of its own, that lets its user do what docs/tunnel.md lets the user `tunnel`.
 *
 * @param vpsPort the only port that a tunnel may listen on
 */
export async function startSshServer(vpsPort: number): Promise<SshServer> {
  const programs = requireOpenSsh()
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-sshd-'))
  const file = (name: string): string => join(folder, name)
  const port = await freePort()
  const uid = process.getuid?.() === 0 ? UNPRIVILEGED : (process.getuid?.() ?? UNPRIVILEGED)
  placeKeys(programs, { file, port, uid })
  writeFileSync(file('sshd_config'), settings(file, { port, vpsPort }))
  const child = spawn(programs.sshd, ['-D', '-E', file('log'), '-f', file('sshd_config')], {
    env: {
      ...programs.environment,
      LD_PRELOAD: programs.wrapper,
      NSS_WRAPPER_PASSWD: file('passwd'),
      NSS_WRAPPER_GROUP: file('group'),
    },
    uid,
    gid: uid === UNPRIVILEGED ? UNPRIVILEGED : (process.getgid?.() ?? UNPRIVILEGED),
    stdio: 'ignore',
  })
  const log = (): string => (existsSync(file('log')) ? readFileSync(file('log'), 'utf8') : '')
  const tunnels: Tunnel[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(tunnels.map((tunnel) => tunnel.kill()))
    await kill(child)
    rmSync(folder, { recursive: true, force: true })
  }
  await untilOpen(port, child, log).catch(async (cause: unknown) => {
    await stop()
    throw cause
  })
  return {
    log,
    async openTunnel(ends) {
      const tunnel = startSsh(programs, { file, port, ends })
      tunnels.push(tunnel)
      await untilOpen(ends.vps, tunnel.process, log).catch(async (cause: unknown) => {
        await tunnel.kill()
        throw new Error(`no tunnel; ssh said: ${await tunnel.said}; sshd said:\n${log()}`, {
          cause,
        })
      })
      return tunnel
    },
    stop,
  }
}

type FileOf = (name: string) => string

/** The server's key and the user's, each known to the other side, and a user database with one line. */
function placeKeys(
  programs: Programs,
  { file, port, uid }: { file: FileOf; port: number; uid: number },
): void {
  for (const name of ['host', 'user']) {
    const args = ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)]
    const { status, stderr } = spawnSync(programs.keygen, args, { env: programs.environment })
    if (status !== 0) throw new Error(`ssh-keygen failed: ${stderr.toString()}`)
  }
  const publicKey = (name: string): string => readFileSync(file(`${name}.pub`), 'utf8')
  writeFileSync(file('known_hosts'), `[127.0.0.1]:${port} ${publicKey('host')}`)
  writeFileSync(file('authorized_keys'), publicKey('user'))
  writeFileSync(file('passwd'), `${USER}:x:${uid}:${uid}::/nonexistent:/usr/sbin/nologin\n`)
  writeFileSync(file('group'), `${USER}:x:${uid}:\n`)
  writeFileSync(file('log'), '')
  // sshd may run as another user: it reads the folder, and owns its key and its log.
  chmodSync(file('.'), 0o711)
  for (const name of ['host', 'log']) chownSync(file(name), uid, -1)
}

function settings(file: FileOf, { port, vpsPort }: { port: number; vpsPort: number }): string {
  return `Port ${port}
ListenAddress 127.0.0.1
HostKey ${file('host')}
AuthorizedKeysFile ${file('authorized_keys')}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding no
LogLevel VERBOSE
${serverSettings().replaceAll(DOCUMENTED_PORTS.vps, String(vpsPort))}`
}

function startSsh(
  programs: Programs,
  { file, port, ends }: { file: FileOf; port: number; ends: Ends },
): Tunnel {
  const documented = tunnelCommand()
    .replaceAll(DOCUMENTED_PORTS.vps, String(ends.vps))
    .replaceAll(DOCUMENTED_PORTS.home, String(ends.home))
    .replace(/\S+$/, `${USER}@127.0.0.1`)
    .split(' ')
    .slice(1)
  // Only what differs because both ends are this machine, and because its user's own settings must not count.
  const here = ['-F', 'none', '-p', String(port), '-i', file('user')]
  const knownHosts = ['-o', `UserKnownHostsFile=${file('known_hosts')}`]
  const child = spawn(programs.ssh, [...here, ...knownHosts, ...documented], {
    env: programs.environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  return {
    process: child,
    said: once(child, 'close').then(() => said.trim()),
    async kill() {
      await kill(child)
      await untilClosed(ends.vps)
    },
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** Waits until a port takes connections. */
async function untilOpen(port: number, child: ChildProcess, log: () => string): Promise<void> {
  const deadline = performance.now() + START_WITHIN_MS
  while (performance.now() < deadline && !hasEnded(child)) {
    if (await takesConnections(port)) return
    await sleep(20)
  }
  throw new Error(`nobody listens on port ${port}; sshd said:\n${log()}`)
}

/** sshd needs a moment to see that a client is gone; until then the next one cannot have its port. */
async function untilClosed(port: number): Promise<void> {
  const deadline = performance.now() + START_WITHIN_MS
  while (await takesConnections(port)) {
    if (performance.now() > deadline) throw new Error(`somebody still listens on port ${port}`)
    await sleep(5)
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => answer(true)).once('error', () => answer(false))
    socket.once('connect', () => socket.destroy())
  })
}
