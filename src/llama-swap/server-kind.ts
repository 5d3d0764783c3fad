import { shellWords } from './command-words.ts'

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
export type ServerCall = { kind: ServerKind; args: readonly string[]; env: Env }

/** By the name of the program, of a Python module, or of a container's image. The last part of a path, without `.exe`. */
const KINDS: ReadonlyArray<[ServerKind, RegExp]> = [
  ['llama-server', /^llama-server(?:[-_.:@][\w.-]+)?$/i],
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
  `--name -h --hostname --network --net --network-alias -v --volume --volumes-from --mount -p --publish --expose
  --gpus --device --entrypoint -u --user -w --workdir -l --label --shm-size --ipc -m --memory --memory-swap --cpus
  -c --cpu-shares --cpuset-cpus --cpuset-mems --ulimit --security-opt --cap-add --cap-drop --group-add --restart
  --runtime --platform --pull --log-driver --log-opt --add-host --dns --env-file --tmpfs --pid --annotation --cidfile
  --stop-timeout --stop-signal --userns --sysctl`.split(/\s+/),
)

const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s
const CONTAINER = /^(?:.*\/)?(?:docker|podman)(?:\.exe)?$/
const ENV_OPTION = /^(?:-e|--env)(?:=|$)/

/** Finds the server in a command: behind variables, `env`, `taskset`, a shell or a container. */
export function findServer(words: readonly string[], env: Env): ServerCall {
  return search({ words, env, isContainer: false }) ?? { kind: 'unknown', args: [], env: {} }
}

type Place = { words: readonly string[]; env: Env; isContainer: boolean }

function search({ words, env, isContainer }: Place): ServerCall | undefined {
  let known = env
  for (const [i, word] of words.entries()) {
    const rest = words.slice(i)
    if (CONTAINER.test(word)) return search(insideContainer(rest.slice(1), known))
    const call = callOf({ words: rest, env: known, isContainer })
    if (call) return call
    known = { ...known, ...assignment(word) }
  }
  return undefined
}

/** The words of `docker run` without its options, and the variables that it passes on. */
function insideContainer(words: readonly string[], outside: Env): Place {
  let env: Env = {}
  const left: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (left.length > 1) left.push(word)
    else if (ENV_OPTION.test(word)) {
      const variable = word.includes('=') ? word.slice(word.indexOf('=') + 1) : (words[++i] ?? '')
      // Without a value, a container gets the variable of the caller.
      env = { ...env, ...(assignment(variable) ?? { [variable]: outside[variable] }) }
    } else if (CONTAINER_VALUES.has(word)) i++
    else if (!word.startsWith('-')) left.push(word)
  }
  return { words: left, env, isContainer: true }
}

function assignment(word: string): Env | undefined {
  const parts = ASSIGNMENT.exec(word)
  return parts ? { [parts[1] ?? '']: parts[2] } : undefined
}

function callOf({ words, env, isContainer }: Place): ServerCall | undefined {
  const [word = '', next = ''] = words
  const kind = kindOf(word, isContainer)
  if (kind === undefined) return /\s/.test(word) ? searchShell(word, env) : undefined
  // The image of a container or the name of a folder, with the program behind it.
  const isNamedAgain = kindOf(next, isContainer) !== undefined
  return isNamedAgain
    ? callOf({ words: words.slice(1), env, isContainer })
    : { kind, args: words.slice(1), env }
}

function kindOf(word: string, isContainer: boolean): ServerKind | undefined {
  if (word.startsWith('-')) return undefined
  const name = word.replace(/^.*[/\\]/, '').replace(/\.exe$/i, '')
  if (isContainer && LLAMA_IMAGE.test(name)) return 'llama-server'
  if (/tabbyapi[/\\]main\.py$/i.test(word)) return 'tabbyapi'
  return KINDS.find(([, pattern]) => pattern.test(name))?.[0]
}

/** A shell's text may hold several commands, such as `cd /opt && export X=1; exec llama-server …`. */
function searchShell(text: string, env: Env): ServerCall | undefined {
  let known = env
  for (const command of commandsIn(shellWords(text) ?? [])) {
    if (/^(?:cd|source|\.)$/.test(command[0] ?? '')) continue
    const call = search({ words: command, env: known, isContainer: false })
    if (call) return call
    known = Object.assign({}, known, ...command.map(assignment))
  }
  return undefined
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
