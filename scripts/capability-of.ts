import type { Capability } from '../test/harness.ts'

/** The conformance tests of which a runtime that cannot do something has none, or has others that prove it. */
const ROWS: ReadonlyArray<{ capability: Capability; file: string; row?: RegExp }> = [
  { capability: 'cancel-before-headers', file: 'cancel.test.ts', row: /by FIN before the headers/ },
  { capability: 'cancel-before-headers', file: 'client-leaves-early.test.ts', row: /good order/ },
  {
    capability: 'cancel-while-silent',
    file: 'cancel.test.ts',
    row: /by FIN in (?:a silent stream|the middle of a JSON answer)/,
  },
  { capability: 'drain-on-signal', file: 'absent-reader.test.ts', row: /its connection$/ },
  { capability: 'drain-on-signal', file: 'drain.test.ts' },
  { capability: 'drain-on-signal', file: 'long-silence.test.ts' },
  { capability: 'head-before-body', file: 'streams.test.ts', row: /before the first frame/ },
  { capability: 'http-1.0', file: 'requests.test.ts', row: /HTTP\/1\.0/ },
  { capability: 'queue', file: 'limits.test.ts', row: /where there is a queue/ },
  { capability: 'queue', file: 'queue.test.ts' },
  { capability: 'request-time-limits', file: 'time-limits.test.ts', row: /of their header/ },
  { capability: 'usage-file', file: 'restart.test.ts' },
]

/** What a runtime must be able to do for a row of the matrix; undefined: every runtime has the row. */
export function capabilityOf(file: string, row: string): Capability | undefined {
  return ROWS.find((one) => one.file === file && (one.row ?? /^/).test(row))?.capability
}
