import { aContext, aModel, NO_CONTEXT } from '../catalogue-samples.ts'
import { CLEAN, LIMIT, MODEL, PROVIDER, type PlantedFault } from './check-samples.ts'

const IN_MODEL = 'provider.llama-swap.models.coder-1'
const TALKER = [...PROVIDER, 'models', 'talker']
const RESERVED = ['compaction', 'reserved']

/** Faults of the names of models and of what they can do. */
export const MODEL_FAULTS: PlantedFault[] = [
  {
    code: 'model-unknown',
    severity: 'error',
    text: CLEAN.replaceAll('coder-1', 'coder-2'),
    at: 'provider.llama-swap.models.coder-2',
    with: ['model-missing'],
    left: ['model-unknown', 'model-missing'],
  },
  {
    code: 'model-missing',
    severity: 'hint',
    set: [[TALKER, undefined]],
    at: 'provider.llama-swap.models',
    left: ['model-missing'],
  },
  {
    code: 'model-alias',
    severity: 'hint',
    models: [
      aModel('qwen', { aliases: ['coder-1'] }),
      aModel('coder-1', { kind: 'alias', aliases: ['qwen'] }),
      aModel('talker'),
    ],
    at: IN_MODEL,
    left: ['model-alias'],
  },
  {
    code: 'model-alias',
    severity: 'hint',
    models: [aModel('qwen', { aliases: ['coder-1'] }), aModel('talker')],
    at: IN_MODEL,
    left: ['model-alias'],
    says: 'coder-1 is another name of qwen: that is well, but limits change when it comes to stand for another model.',
  },
  {
    code: 'model-not-for-chats',
    severity: 'warning',
    models: [aModel('coder-1'), aModel('talker', { use: 'embeddings' })],
    at: 'provider.llama-swap.models.talker',
    says: 'talker is for embeddings, but OpenCode lists it as a model to talk to.',
  },
  { code: 'tools-off', severity: 'warning', set: [[[...MODEL, 'tool_call'], false]] },
  {
    code: 'tools-missing',
    severity: 'warning',
    models: [aModel('coder-1', { tools: false }), aModel('talker')],
    at: `${IN_MODEL}.tool_call`,
  },
  {
    code: 'image-without-mmproj',
    severity: 'warning',
    set: [
      [[...MODEL, 'modalities'], { input: ['text', 'image'], output: ['text'] }],
      [[...MODEL, 'attachment'], true],
    ],
  },
  {
    code: 'image-without-mmproj',
    severity: 'warning',
    set: [
      [[...MODEL, 'modalities'], undefined],
      [[...MODEL, 'attachment'], true],
    ],
  },
  {
    code: 'image-not-offered',
    severity: 'hint',
    models: [aModel('coder-1', { input: ['text', 'image'] }), aModel('talker')],
    at: `${IN_MODEL}.modalities`,
  },
  {
    code: 'choice-missing',
    severity: 'error',
    set: [[['model'], 'llama-swap/gone']],
    left: ['choice-missing'],
  },
  {
    code: 'choice-missing',
    severity: 'error',
    set: [[['agent', 'plan', 'model'], 'llama-swap/gone']],
    left: ['choice-missing'],
  },
  {
    code: 'small-model-swaps',
    severity: 'warning',
    set: [[['small_model'], 'llama-swap/talker']],
    says: 'Each new session loads talker for its title and coder-1 again for the answer: they are not loaded together.',
  },
  { code: 'small-model-elsewhere', severity: 'hint', set: [[['small_model'], 'opencode/free']] },
  {
    code: 'agent-model-swaps',
    severity: 'warning',
    set: [[['agent', 'plan', 'model'], 'llama-swap/talker']],
  },
]

/** Faults of limits and of compaction. */
export const LIMIT_FAULTS: PlantedFault[] = [
  { code: 'limit-missing', severity: 'error', set: [[LIMIT, undefined]], at: IN_MODEL },
  {
    code: 'limit-missing',
    severity: 'hint',
    set: [[LIMIT, undefined]],
    models: [aModel('coder-1', { context: NO_CONTEXT }), aModel('talker')],
    at: IN_MODEL,
    left: ['limit-missing'],
  },
  {
    code: 'limit-incomplete',
    severity: 'error',
    set: [[[...LIMIT, 'output'], undefined]],
    at: `${IN_MODEL}.limit`,
    says: 'limit.output must be a number; OpenCode does not start without it.',
  },
  {
    code: 'limit-incomplete',
    severity: 'error',
    set: [[[...LIMIT, 'context'], '131072']],
    at: `${IN_MODEL}.limit`,
    says: 'limit.context must be a number; OpenCode does not start without it.',
  },
  { code: 'context-zero', severity: 'error', set: [[[...LIMIT, 'context'], 0]] },
  {
    code: 'context-too-large',
    severity: 'error',
    models: [aModel('coder-1', { context: aContext(32_768) }), aModel('talker')],
    at: `${IN_MODEL}.limit.context`,
    says: '131,072 tokens are written, but one request may hold 32,768 (exact; --ctx-size, one slot): OpenCode compacts too late, and requests fail.',
  },
  { code: 'context-too-large', severity: 'error', set: [[[...LIMIT, 'input'], 140_000]] },
  {
    code: 'context-too-small',
    severity: 'warning',
    models: [aModel('coder-1', { context: aContext(262_144) }), aModel('talker')],
    at: `${IN_MODEL}.limit.context`,
    says: '131,072 tokens are written, but one request may hold 262,144 (exact; --ctx-size, one slot): 50 % are never used.',
  },
  { code: 'context-too-small', severity: 'warning', set: [[[...LIMIT, 'input'], 124_000]] },
  {
    code: 'input-missing',
    severity: 'warning',
    set: [
      [[...LIMIT, 'input'], undefined],
      [[...LIMIT, 'output'], 32_000],
    ],
    at: `${IN_MODEL}.limit`,
    says: 'Without limit.input OpenCode compacts at 99,072 tokens of 131,072, whatever compaction.reserved says; with it at 111,072.',
  },
  {
    code: 'output-too-large',
    severity: 'warning',
    set: [[[...LIMIT, 'output'], 65_536]],
    says: 'OpenCode cuts an output of 65,536 to 32,000.',
  },
  {
    code: 'output-zero',
    severity: 'error',
    set: [[[...LIMIT, 'output'], 0]],
    says: 'An output of 0 means 32,000 to OpenCode.',
  },
  { code: 'output-over-context', severity: 'error', set: [[[...LIMIT, 'output'], 131_072]] },
  {
    code: 'headroom-small',
    severity: 'warning',
    set: [[[...LIMIT, 'output'], 4096]],
    says: 'OpenCode compacts at 126,976 tokens of 131,072. What comes next is not counted, and one tool result can be 12,000 to 17,000 tokens: leave 16,384.',
  },
  {
    code: 'headroom-small',
    severity: 'warning',
    set: [
      [LIMIT, { context: 131_072, input: 131_072, output: 16_384 }],
      [RESERVED, 1000],
      [TALKER, undefined],
    ],
    with: ['model-missing'],
    left: ['model-missing'],
  },
  {
    code: 'window-too-small',
    severity: 'error',
    set: [[[...TALKER, 'limit'], { context: 8192, input: 8192, output: 4096 }]],
    models: [aModel('coder-1'), aModel('talker', { context: aContext(8192) })],
    at: 'provider.llama-swap.models.talker',
    left: ['window-too-small'],
  },
  {
    code: 'reserved-without-input',
    severity: 'warning',
    set: [
      [RESERVED, 20_000],
      [[...LIMIT, 'input'], undefined],
    ],
    with: ['input-missing'],
    says: 'compaction.reserved has no effect on coder-1: it counts beside limit.input only.',
  },
  {
    code: 'reserved-too-large',
    severity: 'error',
    set: [[RESERVED, 131_072]],
    says: '131,072 reserved tokens leave nothing: OpenCode compacts after every answer of coder-1, talker.',
  },
  { code: 'reserved-too-large', severity: 'warning', set: [[RESERVED, 70_000]] },
  { code: 'compaction-off', severity: 'warning', set: [[['compaction', 'auto'], false]] },
]
