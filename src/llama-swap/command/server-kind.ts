import { shellWords } from './command-words.ts'
import { valueOf } from './command-words.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Which program serves a model. */
export type ServerKind =
  | 'llama-server'
  | 'vllm'
  | 'sglang'
  | 'tabbyapi'
  | 'koboldcpp'
  /** Makes sounds or pictures, and has no context. */
  | 'media'
  | 'unknown'

/** The program that a command ends at, with what reaches it. */
export type ServerCall = {
  kind: ServerKind
  args: readonly string[]
  env: Env
  /** Why it is not known, where more can be said than that. */
  why?: string
  /** More variables reach it, from a file that is not read. */
  hasEnvFile?: true
  /** A llama-server of another maker, whose slots go by other rules. */
  isFork?: true
}

/** By the name of the program, of a Python module, or of a container's image. The last part of a path, without `.exe`. */
const KINDS: ReadonlyArray<[ServerKind, RegExp]> = [
  // A script that is named like it is found here, too, and told apart later.
  [
    'llama-server',
    /^(?:[\w.-]+-)?llama-server[\w.-]*\.(?:sh|bash|py)$|^llama-server(?:[-_.:@][\w.-]+)?$/i,
  ],
  ['vllm', /^(?:vllm(?:-openai.*)?|vllm\.entrypoints\..+)$/i],
  ['sglang', /^(?:sglang(?:[:@].+)?|sglang\.launch_server|sglang_router.*)$/i],
  ['tabbyapi', /^tabbyapi(?:[:@].+)?$/i],
  ['koboldcpp', /^koboldcpp(?:[-_.:].*)?$/i],
  [
    'media',
    /^(?:whisper|sd|stable-?diffusion|comfyui|kokoro|piper|speaches|faster-whisper|qwen-?tts)(?:[-_.:].*)?$/i,
  ],
]

/** Only a container's image has this name; elsewhere it is a folder. */
const LLAMA_IMAGE = /^llama\.cpp(?:[:@].+)?$/i

/** Options of `docker run` and `podman run` whose value is the next word, which may look like a program. */
const CONTAINER_VALUES = new Set(
  `-e --env --name -h --hostname --network --net --network-alias -v --volume --volumes-from --mount -p --publish --expose
  --gpus --device --entrypoint -u --user -w --workdir -l --label --shm-size --ipc -m --memory --memory-swap --cpus
  -c --cpu-shares --cpuset-cpus --cpuset-mems --ulimit --security-opt --cap-add --cap-drop --group-add --restart
  --runtime --platform --pull --log-driver --log-opt --add-host --dns --env-file --tmpfs --pid --annotation --cidfile
  --stop-timeout --stop-signal --userns --sysctl`.split(/\s+/),
)

const IS_SCRIPT = /\.(?:sh|bash|py)$/i
const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s
const CONTAINER = /^(?:.*\/)?(?:docker|podman)(?:\.exe)?$/
const ENV_OPTION = /^(?:-e|--env)(?:=|$)/

/**
 * Finds the server in a command: behind variables, `env`, `taskset`, a shell or a container.
 *
 * @param port where llama-swap expects the server: of several that a shell starts, that is the one
 */
export function findServer(words: readonly string[], env: Env, port?: string): ServerCall {
  return search({ words, env, isContainer: false, port }) ?? UNKNOWN
}

const UNKNOWN = { kind: 'unknown', args: [], env: {} } as const
const SCRIPT = { ...UNKNOWN, why: 'a script starts the server, and may say more' }
const SEVERAL = { ...UNKNOWN, why: 'the command starts several servers' }

type Place = {
  words: readonly string[]
  env: Env
  isContainer: boolean
  port: string | undefined
}

function search(place: Place): ServerCall | undefined {
  let known = place.env
  for (const [i, word] of place.words.entries()) {
    const rest = { ...place, words: place.words.slice(i), env: known }
    if (CONTAINER.test(word)) return searchContainer(rest)
    const call = callOf(rest)
    if (call) return call
    known = { ...known, ...assignment(word) }
  }
  return undefined
}

function searchContainer({ words, env, port }: Place): ServerCall | undefined {
  const inside = insideContainer(words.slice(1), env)
  const call = search({ ...inside, isContainer: true, port })
  return call && inside.hasEnvFile ? { ...call, hasEnvFile: true } : call
}

type Inside = Pick<Place, 'words' | 'env'> & { hasEnvFile: boolean }

/** The words of `docker run` from the image on, and the variables that it passes on. */
function insideContainer(words: readonly string[], outside: Env): Inside {
  const image = imageAt(words)
  const options = words.slice(0, image)
  const entrypoint = valueOf(options, '--entrypoint')
  return {
    // The program takes the place of the image's own.
    words: entrypoint === undefined ? words.slice(image) : [entrypoint, ...words.slice(image + 1)],
    env: passedOn(options, outside),
    hasEnvFile: valueOf(options, '--env-file') !== undefined,
  }
}

/** Where the second word is that belongs to no option; the first one is `run`. */
function imageAt(words: readonly string[]): number {
  let names = 0
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (CONTAINER_VALUES.has(word)) i++
    else if (!word.startsWith('-') && ++names === 2) return i
  }
  return words.length
}

function passedOn(options: readonly string[], outside: Env): Env {
  let env: Env = {}
  for (const [i, option] of options.entries()) {
    if (!ENV_OPTION.test(option)) continue
    const isOneWord = option.includes('=')
    const variable = isOneWord ? option.slice(option.indexOf('=') + 1) : (options[i + 1] ?? '')
    // Without a value, a container gets the variable of the caller.
    env = { ...env, ...(assignment(variable) ?? { [variable]: outside[variable] }) }
  }
  return env
}

function assignment(word: string): Env | undefined {
  const parts = ASSIGNMENT.exec(word)
  return parts ? { [parts[1] ?? '']: parts[2] } : undefined
}

function callOf(place: Place): ServerCall | undefined {
  const { words, env, isContainer } = place
  const [word = '', next = ''] = words
  const kind = kindOf(word, isContainer)
  if (kind === undefined) return /\s/.test(word) ? searchShell(word, place) : undefined
  // The image of a container or the name of a folder, with the program behind it.
  if (kindOf(next, isContainer) !== undefined) return callOf({ ...place, words: words.slice(1) })
  if (kind === 'llama-server' && [word, next].some((name) => IS_SCRIPT.test(name))) return SCRIPT
  const call = { kind, args: words.slice(1), env }
  return kind === 'llama-server' && /ik[-_]llama/i.test(word) ? { ...call, isFork: true } : call
}

function kindOf(word: string, isContainer: boolean): ServerKind | undefined {
  if (word.startsWith('-')) return undefined
  const name = word.replace(/^.*[/\\]/, '').replace(/\.exe$/i, '')
  if (isContainer && LLAMA_IMAGE.test(name)) return 'llama-server'
  if (/tabbyapi[/\\]main\.py$/i.test(word)) return 'tabbyapi'
  return KINDS.find(([, pattern]) => pattern.test(name))?.[0]
}

/** A shell's text may hold several commands, such as `cd /opt && export X=1; exec llama-server …`. */
function searchShell(text: string, { env, port }: Place): ServerCall | undefined {
  let known = env
  const found: Array<{ call: ServerCall; isAtPort: boolean }> = []
  for (const command of commandsIn(shellWords(text) ?? [])) {
    if (/^(?:cd|source|\.)$/.test(command[0] ?? '')) continue
    const call = search({ words: command, env: known, isContainer: false, port })
    if (call) found.push({ call, isAtPort: command.some((word) => namesPort(word, port)) })
    else known = Object.assign({}, known, ...command.map(assignment))
  }
  const left = found.length > 1 ? found.filter(({ isAtPort }) => isAtPort) : found
  return left.length === 1 || found.length === 0 ? left[0]?.call : SEVERAL
}

function namesPort(word: string, port: string | undefined): boolean {
  return port !== undefined && word.split(/\D+/).includes(port)
}

function commandsIn(words: readonly string[]): string[][] {
  const commands: string[][] = [[]]
  for (const word of words) {
    const isOperator = /^(?:;|&&?|\|\|?)$/.test(word)
    const isRedirection = /^\d?>>?(?:&\d|[\w./~-]+)?$/.test(word)
    if (isOperator) commands.push([])
    else if (!isRedirection) commands.at(-1)?.push(word.replace(/;$/, ''))
    if (/.;$/.test(word)) commands.push([])
  }
  return commands
}
