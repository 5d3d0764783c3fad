import * as z from 'zod'

/**
 * What OpenCode 1.18 demands of the fields that are read or written here. It does not start with a value that breaks
 * these rules. Fields that it does not know are none of its business, and none of ours.
 */
const list = z.array(z.string())
const patience = z.union([z.literal(false), z.number().positive()])

const limit = z.looseObject({
  context: z.number(),
  output: z.number(),
  input: z.number().optional(),
})

const kind = z.enum(['text', 'audio', 'image', 'video', 'pdf'])

const model = z.looseObject({
  id: z.string().optional(),
  name: z.string().optional(),
  limit: limit.optional(),
  tool_call: z.boolean().optional(),
  reasoning: z.boolean().optional(),
  attachment: z.boolean().optional(),
  temperature: z.boolean().optional(),
  modalities: z
    .looseObject({ input: z.array(kind).optional(), output: z.array(kind).optional() })
    .optional(),
  status: z.enum(['alpha', 'beta', 'deprecated', 'active']).optional(),
  headers: z.record(z.string(), z.string()).optional(),
})

const provider = z.looseObject({
  api: z.string().optional(),
  name: z.string().optional(),
  env: list.optional(),
  id: z.string().optional(),
  npm: z.string().optional(),
  whitelist: list.optional(),
  blacklist: list.optional(),
  options: z
    .looseObject({
      apiKey: z.string().optional(),
      baseURL: z.string().optional(),
      timeout: patience.optional(),
      headerTimeout: patience.optional(),
      chunkTimeout: patience.optional(),
    })
    .optional(),
  models: z.record(z.string(), model).optional(),
})

const agents = z.record(
  z.string(),
  z.looseObject({ model: z.string().optional(), disable: z.boolean().optional() }),
)

export const opencodeSchema = z.looseObject({
  $schema: z.string().optional(),
  model: z.string().optional(),
  small_model: z.string().optional(),
  enabled_providers: list.optional(),
  disabled_providers: list.optional(),
  provider: z.record(z.string(), provider).optional(),
  agent: agents.optional(),
  command: z.record(z.string(), z.looseObject({ model: z.string().optional() })).optional(),
  compaction: z
    .looseObject({
      auto: z.boolean().optional(),
      prune: z.boolean().optional(),
      reserved: z.int().nonnegative().optional(),
    })
    .optional(),
})
