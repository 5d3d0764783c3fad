import { describe, expect, test } from 'vitest'
import { isFromOwnPage, type PageEvidence } from '../../../src/auth/same-origin.ts'

const OWN_HOSTS = ['gpu-box:3000', 'gate.example']

function judge(evidence: Partial<PageEvidence>): boolean {
  const none = { secFetchSite: undefined, origin: undefined, referer: undefined }
  return isFromOwnPage({ ...none, ...evidence }, OWN_HOSTS)
}

test('without any evidence the answer is no', () => {
  expect(judge({})).toBe(false)
})

describe('Sec-Fetch-Site decides where it is sent', () => {
  test.each([
    ['same-origin', true],
    ['none', true],
    ['same-site', false],
    ['cross-site', false],
    ['', false],
    ['Same-Origin', false],
    ['same-origin, cross-site', false],
  ])('%j: %s', (secFetchSite, isOwn) => {
    expect(judge({ secFetchSite })).toBe(isOwn)
  })

  test('and no Origin or Referer overrules it', () => {
    const own = { origin: 'https://gate.example', referer: 'https://gate.example/ui/' }
    expect(judge({ secFetchSite: 'cross-site', ...own })).toBe(false)
  })
})

describe('without it Origin must name this gate', () => {
  test.each([
    ['http://gpu-box:3000', true],
    ['https://gate.example', true],
    ['http://gpu-box', false],
    ['http://gpu-box:3001', false],
    ['https://gate.example.evil.test', false],
    ['https://evil.test', false],
    ['https://gate.example@evil.test', false],
    ['null', false],
    ['', false],
    ['gate.example', false],
  ])('%j: %s', (origin, isOwn) => {
    expect(judge({ origin })).toBe(isOwn)
  })

  test('and a Referer does not rescue a foreign Origin', () => {
    expect(judge({ origin: 'https://evil.test', referer: 'https://gate.example/' })).toBe(false)
  })
})

describe('without both the Referer must name this gate', () => {
  test.each([
    ['http://gpu-box:3000/ui/models?x=1', true],
    ['https://evil.test/https://gate.example/', false],
    ['not a URL', false],
  ])('%j: %s', (referer, isOwn) => {
    expect(judge({ referer })).toBe(isOwn)
  })
})
