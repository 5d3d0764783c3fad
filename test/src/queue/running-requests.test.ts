import { expect, test } from 'vitest'
import { RunningRequests } from '../../../src/queue/running-requests.ts'
import { arrival } from './arrivals.ts'

const ann = arrival('1', { keyId: 'edge/ann', presentedKey: 'edge', maxRunning: 1 })
const ben = arrival('2', { keyId: 'edge/ben', presentedKey: 'edge', maxRunning: 1 })
const other = arrival('3', { keyId: 'edge/ann', presentedKey: 'other', maxRunning: 1 })

test('a key has room until it runs as many as it may, for whomever it runs them', () => {
  const running = new RunningRequests()
  const room = () => [ann, ben, other].map((one) => running.hasRoomFor(one))
  const before = room()
  running.add(ann)
  expect([before, room()]).toEqual([
    [true, true, true],
    [false, false, true],
  ])
})

test('a request that ends is given back once, and makes room once', () => {
  const running = new RunningRequests()
  running.add(ann)
  running.add({ ...ben, maxRunning: 2 })
  const ends = [running.remove('1'), running.remove('1'), running.remove('unknown')]
  expect([ends, running.hasRoomFor(ann), running.get('1'), running.has('2')]).toEqual([
    [ann, undefined, undefined],
    false,
    undefined,
    true,
  ])
  running.remove('2')
  expect(running.hasRoomFor(ann)).toBe(true)
})

test('a key without a bound always has room, and what it runs counts for one with a bound', () => {
  const running = new RunningRequests()
  const free = { ...ben, maxRunning: undefined }
  running.add(free)
  expect([running.hasRoomFor(free), running.hasRoomFor(ann)]).toEqual([true, false])
})
