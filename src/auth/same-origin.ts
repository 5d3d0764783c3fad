/** What a browser says of the page that a request comes from. */
export type PageEvidence = {
  secFetchSite: string | undefined
  origin: string | undefined
  referer: string | undefined
}

/**
 * Whether a request demonstrably comes from the gate's own pages. A browser adds a Basic password by itself to whatever
 * any page asks for, an `<img src=".../unload">` too, so without evidence the answer is no. Sec-Fetch-Site (W3C Fetch
 * Metadata) decides where it is sent; over plain http to another machine browsers leave it out, and Origin or Referer
 * must name this gate instead.
 *
 * @param ownHosts host and port under which the gate is reached
 */
export function isFromOwnPage(evidence: PageEvidence, ownHosts: readonly string[]): boolean {
  const { secFetchSite, origin, referer } = evidence
  if (secFetchSite !== undefined) return secFetchSite === 'same-origin' || secFetchSite === 'none'
  const source = origin ?? referer
  return source !== undefined && URL.canParse(source) && ownHosts.includes(new URL(source).host)
}
