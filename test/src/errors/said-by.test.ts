import { expect, test } from 'vitest'
import { overflowIn, saidBy } from '../../../src/errors/said-by.ts'

const errorWith = (n_prompt_tokens: unknown, n_ctx: unknown): string =>
  JSON.stringify({ error: { message: 'too long', n_prompt_tokens, n_ctx } })

test('an error may say how long a prompt was, and how long one may be', () => {
  expect(overflowIn(saidBy(errorWith(4923, 4096)))).toEqual({ prompt: 4923, context: 4096 })
})

test.each([-5, 0, 1.5, 1e300, '4096', null])('a context of %j is none', (context) => {
  expect(overflowIn(saidBy(errorWith(4923, context)))).toEqual({
    prompt: undefined,
    context: undefined,
  })
})
