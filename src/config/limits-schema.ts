import * as z from 'zod'

/** More than any box computes, less than where whole numbers end. */
const MOST = 1_000_000_000_000

const most = (says: string): z.ZodOptional<z.ZodNullable<z.ZodInt>> =>
  z.int().min(1).max(MOST).nullable().optional().describe(`${says} null: no limit.`)

/** What a key's own `limits` may say, and what `limits` of the file says for all keys that do not. */
export const limitFields = {
  requestsPerMinute: most('Requests per minute, spread evenly beyond the burst.'),
  burst: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Requests that may come at once; a sixth of requestsPerMinute, but 10, unless set.'),
  tokensPerMinute: most('Computed tokens per minute: prompt without cached ones, and answer.'),
  tokensPerDay: most('Computed tokens from midnight to midnight in limits.timeZone.'),
  concurrent: most('Requests that are answered at the same time; more of them wait.'),
  waiting: z
    .int()
    .min(0)
    .max(100_000)
    .optional()
    .describe('Requests that may wait in the queue at the same time.'),
  maxOutputTokens: most('Tokens that one request may ask for, over all its choices.'),
}

export const keyLimits = z.strictObject(limitFields).prefault({})

export const defaultLimits = z
  .strictObject({
    ...limitFields,
    timeZone: z
      .string()
      .refine(isTimeZone, 'must be a time zone such as "Europe/Berlin" or "UTC"')
      .default('UTC')
      .describe('Its midnight begins a new day for tokensPerDay and in reports.'),
  })
  .prefault({})

/** What a file's own limits are laid over. */
export const STANDARD_LIMITS = { requestsPerMinute: 240, waiting: 32 }

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
