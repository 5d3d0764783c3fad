import { describe, expect, test } from 'vitest'
import { ClientAnswer } from '../../../src/proxy/client-answer.ts'
import { RecordingClient } from '../../support/recording-client.ts'

function open(): { client: RecordingClient; answer: ClientAnswer } {
  const client = new RecordingClient()
  return { client, answer: new ClientAnswer(client, [['x-request-id', 'r-1']]) }
}

describe('what a client has been sent', () => {
  test('is nothing at first, which a log calls 499', () => {
    const { answer } = open()
    expect({ ...answer.sent, isCommitted: answer.isCommitted }).toEqual({
      status: 499,
      bytesOut: 0,
      isCommitted: false,
    })
  })

  test('is a head with the fields of the gate, and bytes that are counted', () => {
    const { client, answer } = open()
    answer.commit(200, [['content-type', 'text/plain']])
    answer.send(new Uint8Array(3))
    answer.send(new Uint8Array(4))
    expect({ ...answer.sent, isCommitted: answer.isCommitted, headers: client.headers }).toEqual({
      status: 200,
      bytesOut: 7,
      isCommitted: true,
      headers: [
        ['content-type', 'text/plain'],
        ['x-request-id', 'r-1'],
      ],
    })
  })

  test('tells whether the client keeps up', () => {
    const { client, answer } = open()
    answer.commit(200, [])
    const before = answer.send(new Uint8Array(1))
    client.stall()
    expect([before, answer.send(new Uint8Array(1))]).toEqual([true, false])
  })

  test.each(['end', 'break'] as const)('ends with %s', (ending) => {
    const { client, answer } = open()
    answer.commit(200, [])
    answer[ending]()
    expect(client.ended).toBe(ending)
  })
})
