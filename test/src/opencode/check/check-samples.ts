import type {
  CheckInput,
  GateFacts,
  MachineFacts,
} from '../../../../src/opencode/check/check-input.ts'
import type { FindingCode, Severity } from '../../../../src/opencode/check/finding.ts'
import { fixConfig, type FixedConfig } from '../../../../src/opencode/check/fix-config.ts'
import { formatJson } from '../../../../src/opencode/format-json.ts'
import { readJsonc, type JsonPath } from '../../../../src/opencode/jsonc.ts'
import { changeJsonc } from '../../../../src/opencode/edit-jsonc.ts'
import { renderOpencode } from '../../../../src/opencode/render-config.ts'
import { aModel } from '../catalogue-samples.ts'

/** A fault that is put into a file in which nothing is wrong, and what is to come of it. */
export type PlantedFault = Planted & {
  code: FindingCode
  severity: Severity
  /** Where it is told; the first field that is set, where it is not given. */
  at?: string
  /** What else follows from it. */
  with?: FindingCode[]
  /** What a person has to mend; nothing where --fix mends all. */
  left?: FindingCode[]
  says: string
}

/** What a test changes of a check in which nothing is wrong. */
export type Planted = {
  /** Fields of the file; undefined takes one out. */
  set?: ReadonlyArray<readonly [JsonPath, unknown]>
  text?: string
  models?: CheckInput['models']
  box?: CheckInput['box']
  gate?: Partial<GateFacts>
  machine?: Partial<MachineFacts>
}

/** The file that the gate itself writes for two models. */
export const CLEAN = formatJson(
  renderOpencode({
    baseUrl: 'http://localhost:3000',
    models: [aModel('coder-1'), aModel('talker')],
  }),
)
export const PROVIDER: JsonPath = ['provider', 'llama-swap']
export const OPTIONS: JsonPath = [...PROVIDER, 'options']
export const MODEL: JsonPath = [...PROVIDER, 'models', 'coder-1']
export const LIMIT: JsonPath = [...MODEL, 'limit']

/** A check of that file on a machine where all is well, but for what is planted. */
export function aCheck(planted: Planted = {}): CheckInput {
  const { set = [], text, box, gate, machine } = planted
  const changes = set.map(([path, value]) => ({ path, value }))
  // A person writes placeholders; what is written for them never becomes one.
  const written = changeJsonc(CLEAN, changes).replaceAll('\\u007b', '{')
  const document = readJsonc(text ?? written)
  if (!document.ok) throw new Error(document.message)
  return {
    document,
    files: [{ name: 'opencode.json', text: document.text, document, untouched: undefined }],
    models: 'models' in planted ? planted.models : [aModel('coder-1'), aModel('talker')],
    box,
    gate: {
      urls: ['http://localhost:3000'],
      isNamed: false,
      isSure: true,
      isUpstreamKnown: true,
      urlToAsk: undefined,
      upstreamUrl: 'http://127.0.0.1:8080',
      modelFile: 'config.yaml',
      heartbeat: { afterMs: 30_000, everyMs: 15_000 },
      ...gate,
    },
    machine: {
      variables: new Set(['LLAMA_SWAP_API_KEY']),
      holds: (name, literal) => name === 'LLAMA_SWAP_API_KEY' && literal.endsWith('very-secret'),
      replaced: (each) => each.replaceAll('{env:GATE}', 'http://localhost:3000'),
      noProxy: '',
      outputTokenMax: undefined,
      isCompactionOff: false,
      keyVariable: 'LLAMA_SWAP_API_KEY',
      isShared: false,
      storedKeys: new Set(),
      filesForAll: new Set(),
      canRead: (path) => path === './key',
      ...machine,
    },
  }
}

/** What `--fix` makes of the file, and what is still told then. */
export function mend(check: CheckInput): Omit<FixedConfig, 'files'> & { text: string } {
  const { files, ...rest } = fixConfig(check)
  return { text: files.map((file) => file.text).join('\n'), ...rest }
}
