import { limitsFor } from '../../../../src/opencode/limits.ts'
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
    says: 'The gate knows no model coder-2, or your key may not use it: requests end with 404.',
  },
  {
    code: 'model-missing',
    severity: 'hint',
    set: [[TALKER, undefined]],
    at: 'provider.llama-swap.models',
    left: ['model-missing'],
    says: 'The gate has talker, too, which OpenCode does not show.',
  },
  {
    code: 'model-missing',
    severity: 'hint',
    models: ['coder-1', 'talker', 'thinker', 'painter'].map((id) => aModel(id)),
    at: 'provider.llama-swap.models',
    left: ['model-missing'],
    says: 'The gate has thinker, painter, too, which OpenCode does not show.',
  },
  {
    code: 'model-hidden',
    severity: 'warning',
    set: [
      [
        [...PROVIDER, 'whitelist'],
        ['coder-1', 'gone'],
      ],
    ],
    left: ['model-hidden'],
    says: 'OpenCode does not show talker: "whitelist" does not name it.',
  },
  {
    code: 'model-hidden',
    severity: 'error',
    set: [
      [
        [...PROVIDER, 'blacklist'],
        ['coder-1', 'talker'],
      ],
    ],
    with: ['choice-missing'],
    left: ['model-hidden', 'choice-missing'],
    says: 'OpenCode does not show coder-1, talker: "blacklist" names them.',
  },
  {
    code: 'model-hidden',
    severity: 'warning',
    set: [[[...TALKER, 'status'], 'deprecated']],
    left: ['model-hidden'],
    says: 'OpenCode does not show talker: its status is "deprecated".',
  },
  {
    code: 'model-hidden',
    severity: 'warning',
    set: [[[...TALKER, 'status'], 'alpha']],
    left: ['model-hidden'],
    says: 'OpenCode does not show talker: its status is "alpha".',
  },
  {
    code: 'model-not-for-chats',
    severity: 'warning',
    models: [aModel('coder-1'), aModel('talker', { use: 'embeddings' })],
    at: 'provider.llama-swap.models.talker',
    left: ['model-not-for-chats'],
    says: 'talker is for embeddings, but OpenCode lists it as a model to talk to.',
  },
  {
    code: 'tools-off',
    severity: 'warning',
    set: [[[...MODEL, 'tool_call'], false]],
    says: 'The model can call tools, but OpenCode is told that it cannot: it can only talk.',
  },
  {
    code: 'tools-missing',
    severity: 'warning',
    models: [aModel('coder-1', { tools: false }), aModel('talker')],
    at: `${IN_MODEL}.tool_call`,
    says: 'The model is run so that it cannot call tools, but OpenCode offers it some.',
  },
  {
    code: 'image-without-mmproj',
    severity: 'warning',
    set: [
      [[...MODEL, 'modalities'], { input: ['text', 'image'], output: ['text'] }],
      [[...MODEL, 'attachment'], true],
    ],
    says: 'OpenCode sends pictures to the model, which is run without --mmproj and cannot see them.',
  },
  {
    code: 'image-without-mmproj',
    severity: 'warning',
    set: [
      [[...MODEL, 'modalities'], undefined],
      [[...MODEL, 'attachment'], true],
    ],
    says: 'OpenCode sends pictures to the model, which is run without --mmproj and cannot see them.',
  },
  {
    code: 'image-not-offered',
    severity: 'hint',
    models: [aModel('coder-1', { input: ['text', 'image'] }), aModel('talker')],
    at: `${IN_MODEL}.modalities`,
    says: 'The model sees pictures, but OpenCode is not told so and puts an error text in their place.',
  },
  {
    code: 'choice-missing',
    severity: 'error',
    set: [[['model'], 'llama-swap/gone']],
    left: ['choice-missing'],
    says: 'gone is chosen here, but llama-swap has no such model in this file.',
  },
  {
    code: 'choice-missing',
    severity: 'error',
    set: [[['agent', 'plan', 'model'], 'llama-swap/gone']],
    left: ['choice-missing'],
    says: 'gone is chosen here, but llama-swap has no such model in this file.',
  },
  {
    code: 'small-model-swaps',
    severity: 'warning',
    set: [[['small_model'], 'llama-swap/talker']],
    left: ['small-model-swaps'],
    says: 'Each new session loads talker for its title and coder-1 again for the answer: they are not loaded together.',
  },
  {
    code: 'choice-missing',
    severity: 'error',
    set: [
      [[...PROVIDER, 'blacklist'], ['talker']],
      [['command', 'talk', 'model'], 'llama-swap/talker'],
    ],
    at: 'command.talk.model',
    with: ['agent-model-swaps', 'model-hidden'],
    left: ['agent-model-swaps', 'choice-missing', 'model-hidden'],
    says: 'talker is chosen here, but OpenCode does not show it.',
  },
  {
    code: 'choice-without-provider',
    severity: 'error',
    set: [[['model'], 'talker']],
    says: '"talker" names no provider, so OpenCode finds no model: it must be "provider/model".',
  },
  {
    code: 'choice-without-provider',
    severity: 'error',
    set: [[['agent', 'plan', 'model'], 'gone']],
    left: ['choice-without-provider'],
    says: '"gone" names no provider, so OpenCode finds no model: it must be "provider/model".',
  },
  {
    code: 'choice-provider-unknown',
    severity: 'error',
    set: [[['model'], 'lama-swap/talker']],
    left: ['choice-provider-unknown'],
    says: 'There is no provider lama-swap, so OpenCode finds no model.',
  },
  {
    code: 'small-model-elsewhere',
    severity: 'hint',
    set: [[['small_model'], 'opencode/free']],
    left: ['small-model-elsewhere'],
    says: 'The first message of every session goes to opencode, too, for a title.',
  },
  {
    code: 'agent-model-swaps',
    severity: 'warning',
    set: [[['agent', 'plan', 'model'], 'llama-swap/talker']],
    left: ['agent-model-swaps'],
    says: 'It loads talker in place of coder-1, and back again afterwards: they are not loaded together.',
  },
]

/** Faults of limits and of compaction. */
export const LIMIT_FAULTS: PlantedFault[] = [
  {
    code: 'limit-missing',
    severity: 'error',
    set: [[LIMIT, undefined]],
    at: IN_MODEL,
    says: 'There is no "limit": OpenCode takes the context for 0, shows 0 % and never compacts by itself.',
  },
  {
    code: 'limit-missing',
    severity: 'hint',
    set: [[LIMIT, undefined]],
    models: [aModel('coder-1', { context: NO_CONTEXT }), aModel('talker')],
    at: IN_MODEL,
    left: ['limit-missing'],
    says: 'There is no "limit": OpenCode takes the context for 0, shows 0 % and never compacts by itself.',
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
  {
    code: 'context-zero',
    severity: 'error',
    set: [[[...LIMIT, 'context'], 0]],
    says: 'A context of 0 means that nobody knows it: OpenCode never compacts by itself.',
  },
  {
    code: 'context-zero',
    severity: 'error',
    set: [
      [[...LIMIT, 'context'], -1],
      [RESERVED, 20_000],
    ],
    says: 'A context of -1 is none: OpenCode compacts after every answer.',
  },
  {
    code: 'context-too-large',
    severity: 'error',
    models: [aModel('coder-1', { context: aContext(32_768) }), aModel('talker')],
    at: `${IN_MODEL}.limit.context`,
    says: '131,072 tokens are written, but one request may hold 32,768 (exact; --ctx-size, one slot): OpenCode compacts too late, and requests fail.',
  },
  {
    code: 'context-too-large',
    severity: 'error',
    set: [[[...LIMIT, 'input'], 140_000]],
    says: '140,000 tokens are written, but one request may hold 131,072 (exact; --ctx-size, one slot): OpenCode compacts too late, and requests fail.',
  },
  {
    code: 'context-too-small',
    severity: 'warning',
    models: [aModel('coder-1', { context: aContext(262_144) }), aModel('talker')],
    at: `${IN_MODEL}.limit.context`,
    says: '131,072 tokens are written, but one request may hold 262,144 (exact; --ctx-size, one slot): 50 % are never used.',
  },
  {
    code: 'context-too-small',
    severity: 'warning',
    set: [[[...LIMIT, 'input'], 124_000]],
    says: '124,000 tokens are written, but one request may hold 131,072 (exact; --ctx-size, one slot): 5 % are never used.',
  },
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
    code: 'input-missing',
    severity: 'hint',
    set: [[[...LIMIT, 'input'], 0]],
    at: `${IN_MODEL}.limit`,
    says: 'With an input of 0 compaction.reserved has no effect. OpenCode compacts at 114,688 tokens with it, too.',
  },
  {
    code: 'input-missing',
    severity: 'warning',
    set: [[[...LIMIT, 'input'], -1]],
    at: `${IN_MODEL}.limit`,
    says: 'With an input of -1 OpenCode compacts after every answer of 131,072, whatever compaction.reserved says; with it at 114,688.',
  },
  {
    code: 'input-missing',
    severity: 'warning',
    set: [
      [[...LIMIT, 'input'], undefined],
      [RESERVED, 40_000],
    ],
    at: `${IN_MODEL}.limit`,
    with: ['reserved-without-input'],
    says: 'Without limit.input OpenCode compacts at 114,688 tokens of 131,072, whatever compaction.reserved says; with it at 91,072.',
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
  {
    code: 'output-over-context',
    severity: 'error',
    set: [[[...LIMIT, 'output'], 131_072]],
    says: 'An output of 131,072 tokens leaves no room for a prompt in a context of 131,072.',
  },
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
    says: 'OpenCode compacts at 130,072 tokens of 131,072. What comes next is not counted, and one tool result can be 12,000 to 17,000 tokens: leave 16,384.',
  },
  ...[
    [
      12_287,
      'error',
      "12,287 tokens for one request are too few: OpenCode's own prompt and tools take about 7,500 of them, so it compacts again and again.",
    ] as const,
    [
      12_288,
      'warning',
      "12,288 tokens for one request are very few: OpenCode's own prompt and tools take about 7,500 of them.",
    ] as const,
    [
      16_383,
      'warning',
      "16,383 tokens for one request are very few: OpenCode's own prompt and tools take about 7,500 of them.",
    ] as const,
  ].map(([window, severity, says]): PlantedFault => ({
    code: 'window-too-small',
    severity,
    set: [[[...TALKER, 'limit'], limitsFor(window)]],
    models: [aModel('coder-1'), aModel('talker', { context: aContext(window) })],
    at: 'provider.llama-swap.models.talker',
    left: ['window-too-small'],
    says,
  })),
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
  {
    code: 'reserved-too-large',
    severity: 'warning',
    set: [[RESERVED, 70_000]],
    says: '70,000 reserved tokens are more than half of the input of coder-1, talker.',
  },
  {
    code: 'compaction-off',
    severity: 'warning',
    set: [[['compaction', 'auto'], false]],
    says: 'OpenCode never compacts by itself: a session ends when its context is full.',
  },
]
