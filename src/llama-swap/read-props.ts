import type { Modality } from './catalogue.ts'
import { entries, field, parsedJson } from '../json/read-unknown.ts'
import { isOfCommand } from './command/running-command.ts'

/** What a llama-server says of itself; undefined is what it does not say. */
export type ServerProps = {
  /** Tokens that one request may hold. */
  context: number | undefined
  slots: number | undefined
  input: readonly Modality[] | undefined
  /** Whether its chat template knows tools. */
  tools: boolean | undefined
}

/**
 * Reads `GET /props` of llama-server; undefined for what is not such an answer, or that of another server than the one
 * with this command.
 */
export function readProps(text: string, command: string): ServerProps | undefined {
  const value = parsedJson(text)
  const context = count(field(field(value, 'default_generation_settings'), 'n_ctx'))
  const slots = count(field(value, 'total_slots'))
  if (context === undefined && slots === undefined) return undefined
  if (!isOfCommand(value, command)) return undefined
  const tools = field(field(value, 'chat_template_caps'), 'supports_tools')
  return {
    context,
    slots,
    input: inputOf(field(value, 'modalities')),
    tools: typeof tools === 'boolean' ? tools : undefined,
  }
}

/** By llama-server's names for what it takes beside text. */
const BESIDE_TEXT: ReadonlyArray<[name: string, modality: Modality]> = [
  ['vision', 'image'],
  ['audio', 'audio'],
  ['video', 'video'],
]

function inputOf(said: unknown): readonly Modality[] | undefined {
  if (entries(said).length === 0) return undefined
  const taken = BESIDE_TEXT.filter(([name]) => field(said, name) === true)
  return ['text', ...taken.map(([, modality]) => modality)]
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}
