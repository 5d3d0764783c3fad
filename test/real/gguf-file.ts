import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'

/** One key of a GGUF header, encoded. */
export type Metadata = Buffer

/** Row-major 32-bit weights; without `weights` the tensor is all zeros and takes no room on the disk. */
export interface Tensor {
  name: string
  rows: number
  columns: number
  weights?: Float32Array
}

const ALIGNMENT = 32

// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, gguf_metadata_value_type
const U32 = 4
const I32 = 5
const F32 = 6
const BOOL = 7
const STRING = 8
const ARRAY = 9

export function u32Metadata(key: string, value: number): Metadata {
  return Buffer.concat([text(key), u32(U32), u32(value)])
}

export function f32Metadata(key: string, value: number): Metadata {
  return Buffer.concat([text(key), u32(F32), floats([value])])
}

export function boolMetadata(key: string, value: boolean): Metadata {
  return Buffer.concat([text(key), u32(BOOL), Buffer.of(value ? 1 : 0)])
}

export function stringMetadata(key: string, value: string): Metadata {
  return Buffer.concat([text(key), u32(STRING), text(value)])
}

export function stringsMetadata(key: string, values: string[]): Metadata {
  return Buffer.concat([
    text(key),
    u32(ARRAY),
    u32(STRING),
    u64(values.length),
    ...values.map(text),
  ])
}

export function f32sMetadata(key: string, values: number[]): Metadata {
  return Buffer.concat([text(key), u32(ARRAY), u32(F32), u64(values.length), floats(values)])
}

export function i32sMetadata(key: string, values: number[]): Metadata {
  return Buffer.concat([text(key), u32(ARRAY), u32(I32), u64(values.length), ...values.map(u32)])
}

export function writeGguf(file: string, metadata: Metadata[], tensors: Tensor[]): void {
  const offsets: number[] = []
  let dataBytes = 0
  for (const tensor of tensors) {
    offsets.push(dataBytes)
    dataBytes += aligned(tensor.rows * tensor.columns * 4)
  }
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(metadata.length),
    ...metadata,
    ...tensors.map((tensor, i) => tensorInfo(tensor, offsets[i]!)),
  ])
  const dataStart = aligned(header.length)
  const descriptor = openSync(file, 'w')
  try {
    // The length first: what is not written afterwards stays a hole, which reads as zeros.
    ftruncateSync(descriptor, dataStart + dataBytes)
    writeSync(descriptor, header, 0, header.length, 0)
    for (const [i, { weights }] of tensors.entries())
      if (weights) writeSync(descriptor, weights, 0, weights.byteLength, dataStart + offsets[i]!)
  } finally {
    closeSync(descriptor)
  }
}

function tensorInfo({ name, rows, columns }: Tensor, offset: number): Buffer {
  // GGUF names the fastest-moving dimension first; a vector has one dimension only.
  const dimensions = rows === 1 ? [columns] : [columns, rows]
  const f32TensorType = 0
  return Buffer.concat([
    text(name),
    u32(dimensions.length),
    ...dimensions.map(u64),
    u32(f32TensorType),
    u64(offset),
  ])
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function floats(values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 * i)
  return bytes
}
