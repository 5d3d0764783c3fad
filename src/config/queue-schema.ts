import * as z from 'zod'
import { milliseconds, MOST_MS } from './milliseconds.ts'

const slots = z.int().min(1).max(10_000)

const queueObject = z.strictObject({
  slotsPerModel: slots
    .default(4)
    .describe(
      "Requests that one model answers at the same time: the -np of its llama-server, and at most llama-swap's concurrencyLimit.",
    ),
  slots: z
    .record(z.string(), slots)
    .default({})
    .describe('Models that differ from slotsPerModel, by id: {"glm-4.7-flash": 2}.'),
  maxWaiting: z
    .int()
    .min(0)
    .max(10_000)
    .default(256)
    .describe('Requests that may wait, over all keys.'),
  maxWaitMs: z
    .int()
    .min(1)
    .max(MOST_MS)
    .default(600_000)
    .describe('How long a request waits at most.'),
  maxModelWaitMs: milliseconds(
    60_000,
    'How long requests for a model that is not loaded wait for the loaded one before it makes room.',
  ),
  minResidencyMs: milliseconds(
    45_000,
    'How long a model that was loaded stays while others are in use, at least.',
  ),
  idleMs: milliseconds(
    2000,
    "How long a model must have had nothing to do before another key's request may put it out early.",
  ),
  quantumTokens: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(8000)
    .describe('Tokens by which a session may get ahead while it is kept together (prefix cache).'),
})

/** The fair queue, or `false` to leave all waiting to llama-swap. */
export const queueSchema = z
  .union([z.literal(false), queueObject])
  .prefault({})
  .describe('The fair queue; false turns it off and leaves all waiting to llama-swap.')

export type QueueConfig = z.output<typeof queueObject>
