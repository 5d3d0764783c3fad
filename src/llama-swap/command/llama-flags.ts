import { valuesTaken } from './flags-with-value.ts'

/** The settings of llama-server that say something about a request; `[name, flags, variable, what the flag sets]`. */
const SETTINGS = [
  ['context', '-c --ctx-size', 'LLAMA_ARG_CTX_SIZE'],
  ['parallel', '-np --parallel', 'LLAMA_ARG_N_PARALLEL'],
  ['unified', '-kvu --kv-unified', 'LLAMA_ARG_KV_UNIFIED', 'on'],
  ['unified', '-no-kvu --no-kv-unified', 'LLAMA_ARG_NO_KV_UNIFIED', 'off'],
  ['perSlot', '--kv-unified-per-slot', 'LLAMA_ARG_KV_UNIFIED_PER_SLOT'],
  ['batch', '-b --batch-size', 'LLAMA_ARG_BATCH'],
  ['physicalBatch', '-ub --ubatch-size', 'LLAMA_ARG_UBATCH'],
  ['predict', '-n --predict --n-predict', 'LLAMA_ARG_N_PREDICT'],
  ['ropeScaling', '--rope-scaling', 'LLAMA_ARG_ROPE_SCALING_TYPE'],
  ['ropeScale', '--rope-scale', 'LLAMA_ARG_ROPE_SCALE'],
  ['override', '--override-kv', undefined],
  ['embeddings', '--embedding --embeddings', 'LLAMA_ARG_EMBEDDINGS', 'on'],
  ['rerank', '--rerank --reranking', 'LLAMA_ARG_RERANKING', 'on'],
  ['pooling', '--pooling', 'LLAMA_ARG_POOLING'],
  ['projector', '-mm --mmproj', 'LLAMA_ARG_MMPROJ'],
  ['projector', '-mmu --mmproj-url', 'LLAMA_ARG_MMPROJ_URL'],
  ['projector', '--no-mmproj', 'LLAMA_ARG_NO_MMPROJ', ''],
  ['jinja', '--jinja', 'LLAMA_ARG_JINJA', 'on'],
  ['jinja', '--no-jinja', 'LLAMA_ARG_NO_JINJA', 'off'],
  ['contextShift', '--context-shift', 'LLAMA_ARG_CONTEXT_SHIFT', 'on'],
  ['contextShift', '--no-context-shift', 'LLAMA_ARG_NO_CONTEXT_SHIFT', 'off'],
  ['thinking', '-rea --reasoning', 'LLAMA_ARG_REASONING'],
  ['thinkBudget', '--reasoning-budget', 'LLAMA_ARG_THINK_BUDGET'],
  ['templateSettings', '--chat-template-kwargs', 'LLAMA_ARG_CHAT_TEMPLATE_KWARGS'],
  ['model', '-m --model', 'LLAMA_ARG_MODEL'],
  ['model', '-mu --model-url', 'LLAMA_ARG_MODEL_URL'],
  ['model', '-hf -hfr --hf-repo', 'LLAMA_ARG_HF_REPO'],
  ['model', '-dr --docker-repo', 'LLAMA_ARG_DOCKER_REPO'],
  ['router', '--models-preset', 'LLAMA_ARG_MODELS_PRESET'],
  ['router', '--models-dir', 'LLAMA_ARG_MODELS_DIR'],
] as const

export type LlamaSetting = (typeof SETTINGS)[number][0]

type Setting = { name: LlamaSetting; fixed: string | undefined }

/** What a command line of llama-server says, variables of its environment included. */
export type LlamaFlags = {
  /** The values as they stand there; the last one counts, and a flag comes before a variable. */
  values: ReadonlyMap<LlamaSetting, string>
  /** How the setting was written: `-c 4096`, `--kv-unified`, `LLAMA_ARG_CTX_SIZE=4096`. A value that is no number is `…`. */
  written: ReadonlyMap<LlamaSetting, string>
  /** Settings that stand there more than once, as flags. */
  repeated: ReadonlySet<LlamaSetting>
  /** A flag such as `--gpt-oss-20b-default`, which brings settings of its own. */
  preset: string | undefined
  /** Words that llama-server does not start with, such as `--ctx-size=4096`: the flag, and its value apart. */
  refused: ReadonlyArray<{ flag: string; value: string }>
}

const BY_FLAG: ReadonlyMap<string, Setting> = new Map(
  SETTINGS.flatMap(([name, flags, , fixed]) =>
    flags.split(' ').map((flag): [string, Setting] => [flag, { name, fixed }]),
  ),
)

/** The variables that llama-server reads, of an environment that may hold everything else, too. */
export function llamaVariables(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, , name] of SETTINGS) {
    const value = name === undefined ? undefined : env[name]
    if (name !== undefined && value !== undefined) found[name] = value
  }
  return found
}

const TRUE = /^(?:on|enabled|true|1|yes)$/i
const PRESET = /^--(?:embd|fim|gpt-oss|vision)-.+-(?:default|spec)$/
/** A value glued to its flag, as other programs allow it. */
const GLUED = /^(--[a-z][a-z-]*)=(.*)$|^(-c|-np|-n|-ub|-b)=?(-?\d.*)$/s

class Reading implements LlamaFlags {
  readonly values = new Map<LlamaSetting, string>()
  readonly written = new Map<LlamaSetting, string>()
  readonly repeated = new Set<LlamaSetting>()
  readonly refused: { flag: string; value: string }[] = []
  preset: string | undefined
  readonly #flags = new Set<LlamaSetting>()

  readVariables(env: Readonly<Record<string, string | undefined>>): void {
    for (const [name, , variable, fixed] of SETTINGS) {
      const value = variable === undefined ? undefined : env[variable]
      if (variable === undefined || value === undefined) continue
      // The variable of `--no-x` counts whenever it is there; that of `--x` holds a truth value.
      const isOff = fixed === 'off' || fixed === '' || (fixed === 'on' && !TRUE.test(value))
      this.#set(name, fixed === undefined ? value : isOff ? fixed.replace('on', 'off') : fixed)
      this.written.set(name, `${variable}=${shown(value)}`)
    }
  }

  readFlag(flag: string, value: string | undefined): void {
    const setting = BY_FLAG.get(flag)
    if (PRESET.test(flag)) this.#readPreset(flag)
    if (!setting) return
    const { name, fixed } = setting
    const set = fixed ?? value ?? ''
    if (this.#flags.has(name) && this.values.get(name) !== set) this.repeated.add(name)
    this.#flags.add(name)
    this.#set(name, set)
    this.written.set(name, fixed === undefined ? `${flag} ${shown(set)}` : flag)
  }

  #set(name: LlamaSetting, value: string): void {
    // Several overrides add up.
    const former = name === 'override' ? this.values.get(name) : undefined
    this.values.set(name, former === undefined ? value : `${former},${value}`)
  }

  /** What stood before a preset may be changed by it; only what comes behind is sure. */
  #readPreset(flag: string): void {
    this.preset = flag
    this.values.delete('context')
    this.values.delete('parallel')
  }
}

/** Where a number belongs, nothing else is worth showing, and it may be a secret that went astray. */
function shown(value: string): string {
  return /^[+-]?\d[\w.,]{0,11}$/.test(value) ? value : '…'
}

/**
 * Reads the words behind `llama-server`. Underscores in long flags are hyphens to it. A flag that is not known takes no
 * value here; a word that is no flag is passed over.
 */
export function readLlamaFlags(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): LlamaFlags {
  const reading = new Reading()
  reading.readVariables(env)
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? ''
    if (!word.startsWith('-')) continue
    const flag = word.startsWith('--') ? word.replaceAll('_', '-') : word
    const glued = GLUED.exec(flag)
    if (glued) {
      reading.refused.push({
        flag: glued[1] ?? glued[3] ?? '',
        value: word.slice((glued[1] ?? glued[3] ?? '').length).replace(/^=/, ''),
      })
      continue
    }
    const taken = valuesTaken(flag, args[i + 1])
    reading.readFlag(flag, taken === 0 ? undefined : args[i + 1])
    i += taken
  }
  return reading
}
