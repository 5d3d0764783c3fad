import { expect, test } from 'vitest'
import { startDemo } from './start-demo.ts'

interface Embeddings<Vector> {
  readonly model: string
  readonly object: string
  readonly usage: unknown
  readonly data: { embedding: Vector; index: number; object: string }[]
}

test('an embedding is a unit vector that only depends on its text', async () => {
  const demo = await startDemo()

  const response = await demo.post('/v1/embeddings', {
    model: 'coder',
    input: ['hello', 'there', 'hello'],
  })

  const { data, ...rest }: Embeddings<number[]> = JSON.parse(await response.text())
  const vectors = data.map(({ embedding }) => embedding)
  expect(rest).toEqual({
    model: 'coder',
    object: 'list',
    usage: { prompt_tokens: 6, total_tokens: 6 },
  })
  expect(data.map(({ index, object }) => `${object} ${index}`)).toEqual([
    'embedding 0',
    'embedding 1',
    'embedding 2',
  ])
  expect(vectors[0]).toHaveLength(16)
  expect(vectors[2]).toEqual(vectors[0])
  expect(vectors[1]).not.toEqual(vectors[0])
  expect(Math.hypot(...vectors[0]!)).toBeCloseTo(1)
})

test('an embedding in base64 holds the same numbers', async () => {
  const demo = await startDemo()
  const body = { model: 'coder', input: 'hello' }

  const plain = await demo.post('/v1/embeddings', body)
  const encoded = await demo.post('/v1/embeddings', { ...body, encoding_format: 'base64' })

  const numbers: Embeddings<number[]> = JSON.parse(await plain.text())
  const base64: Embeddings<string> = JSON.parse(await encoded.text())
  const bytes = Uint8Array.from(Buffer.from(base64.data[0]!.embedding, 'base64'))
  expect([...new Float32Array(bytes.buffer)]).toEqual(numbers.data[0]!.embedding)
})
