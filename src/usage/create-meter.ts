import type { StreamFormat } from '../dialects/stream-format.ts'
import { ChatReader } from './chat-reader.ts'
import { MessagesReader } from './messages-reader.ts'
import type { FrameReader, Meter, MeterOptions } from './meter.ts'
import { NativeReader } from './native-reader.ts'
import { plainMeter } from './plain-meter.ts'
import { ResponsesReader } from './responses-reader.ts'
import { streamMeter } from './stream-meter.ts'

const READERS: Record<StreamFormat, (options: MeterOptions) => FrameReader> = {
  chat: (options) => new ChatReader(options),
  responses: (options) => new ResponsesReader(options),
  messages: (options) => new MessagesReader(options),
  native: () => new NativeReader(),
}

/** A meter for one answer. A stream of an unknown format passes unread and counts nothing. */
export function createMeter(options: MeterOptions): Meter {
  const plain = plainMeter(options)
  if (!options.streamed || options.format === undefined) return plain
  return streamMeter(READERS[options.format](options), plain)
}
