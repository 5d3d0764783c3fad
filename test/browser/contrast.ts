import type { Page } from 'playwright-core'

/** Three channels from 0 to 255. */
type Colour = readonly number[]

/**
 * How much texts stand out from what is behind them (WCAG 2.2, contrast ratio), one number for each visible element that
 * the selector finds.
 */
export async function contrastIn(page: Page, selector: string): Promise<number[]> {
  const pairs: [Colour, Colour][] = await page.evaluate(`(() => {
    const channels = (text) => text.match(/[\\d.]+/g).map(Number)
    const ground = (element) => {
      const colour = channels(getComputedStyle(element).backgroundColor)
      return colour[3] === 0 ? ground(element.parentElement) : colour
    }
    return [...document.querySelectorAll(${JSON.stringify(selector)})]
      .filter((element) => element.checkVisibility())
      .map((element) => [channels(getComputedStyle(element).color), ground(element)])
  })()`)
  return pairs.map(([text, ground]) => {
    const [low = 0, high = 0] = [luminance(text), luminance(ground)].toSorted((a, b) => a - b)
    return (high + 0.05) / (low + 0.05)
  })
}

/** Relative luminance of an sRGB colour. */
function luminance(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map((channel) => {
    const value = channel / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
