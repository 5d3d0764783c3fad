/**
 * An address without slashes at its end. It takes time by the length of the text only: a pattern such as `/\/+$/` takes
 * its square where a client sends many slashes and something behind them.
 */
export function withoutSlash(url: string): string {
  let end = url.length
  while (url[end - 1] === '/') end -= 1
  return url.slice(0, end)
}
