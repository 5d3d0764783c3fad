import type { Modality, ModelTraits, ModelUse } from '../catalogue.ts'
import { leadingNumber, isOn, slotPlan } from './command-context.ts'
import type { LlamaFlags } from './llama-flags.ts'
import { valueOf } from './command-words.ts'
import { field, texts } from '../../json/read-unknown.ts'
import type { ServerCall } from './server-kind.ts'
import { soundsThinking } from './thinking-families.ts'

/** What a model's record in the configuration holds, with the server behind its command. */
export type DescribedModel = {
  id: string
  record: unknown
  call: ServerCall
  /** Only of a llama-server. */
  flags: LlamaFlags | undefined
}

const MODALITIES: readonly Modality[] = ['text', 'image', 'audio', 'video']

/** What a model can do, as far as its owner or its command says. */
export function traitsOf(model: DescribedModel): ModelTraits {
  const { record, call, flags } = model
  const use = useOf(model)
  return {
    use,
    input: inputOf(record, flags),
    output: modalitiesIn(capability(record, 'out')) ?? (use === 'chat' ? ['text'] : []),
    tools: toolsOf(record, flags),
    reasoning: use === 'chat' && thinks(model),
    outputLimit: positive(flags?.values.get('predict')),
    slots: flags ? slotPlan(flags)?.slots : positive(valueOf(call.args, '--max-num-seqs')),
  }
}

/** A field of `capabilities`; llama-swap takes every scalar as text. */
export function capability(record: unknown, name: string): unknown {
  return field(field(record, 'capabilities'), name)
}

/** A truth value as YAML writes it; undefined for anything else. */
export function truth(value: unknown): boolean | undefined {
  if (typeof value !== 'string') return undefined
  if (/^true$/i.test(value)) return true
  return /^false$/i.test(value) ? false : undefined
}

function useOf({ record, call, flags }: DescribedModel): ModelUse {
  if (truth(capability(record, 'reranker')) === true) return 'rerank'
  const served = flags ? llamaUse(flags) : isPooling(call) ? 'embeddings' : 'chat'
  if (served !== 'chat') return served
  const output = modalitiesIn(capability(record, 'out'))
  const makesNoText = output !== undefined && !output.includes('text')
  return call.kind === 'media' || makesNoText ? 'other' : 'chat'
}

function llamaUse(flags: LlamaFlags): ModelUse {
  if (isOn(flags, 'rerank')) return 'rerank'
  if (isOn(flags, 'embeddings'))
    return flags.values.get('pooling') === 'rank' ? 'rerank' : 'embeddings'
  return flags.preset?.startsWith('--embd-') === true ? 'embeddings' : 'chat'
}

/** vLLM and SGLang say it in words of their own. */
function isPooling({ args }: ServerCall): boolean {
  const task = valueOf(args, '--task') ?? valueOf(args, '--runner') ?? ''
  return /^(?:embed|embedding|pooling)$/.test(task) || args.includes('--is-embedding')
}

function inputOf(record: unknown, flags: LlamaFlags | undefined): readonly Modality[] {
  const written = modalitiesIn(capability(record, 'in'))
  if (written) return written
  return (flags?.values.get('projector') ?? '') === '' ? ['text'] : ['text', 'image']
}

function modalitiesIn(value: unknown): Modality[] | undefined {
  const written = texts(value)
  const known = MODALITIES.filter((modality) => written.includes(modality))
  return known.length > 0 ? known : undefined
}

function toolsOf(record: unknown, flags: LlamaFlags | undefined): boolean | undefined {
  return flags?.values.get('jinja') === 'off' ? false : truth(capability(record, 'tools'))
}

function thinks({ id, record, flags }: DescribedModel): boolean {
  const written = truth(field(field(record, 'metadata'), 'reasoning'))
  const name = field(record, 'name')
  return (
    written ??
    (flags && thinkingSet(flags)) ??
    soundsThinking(id, typeof name === 'string' ? name : undefined)
  )
}

function thinkingSet(flags: LlamaFlags): boolean | undefined {
  if (flags.values.get('thinkBudget') === '0') return false
  const written = flags.values.get('thinking') ?? ''
  if (/^(?:off|false|0|disabled)$/.test(written)) return false
  const template = flags.values.get('templateSettings') ?? ''
  const said = /"(?:enable_thinking|thinking)"\s*:\s*(true|false)/.exec(template)?.[1]
  return said === undefined ? undefined : said === 'true'
}

function positive(text: string | undefined): number | undefined {
  const number = text === undefined ? undefined : leadingNumber(text)
  return number !== undefined && number > 0 ? number : undefined
}
