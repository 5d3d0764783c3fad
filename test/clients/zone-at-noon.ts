/** A time zone where it is noon or a little later: no test of a day's limits runs into midnight. */
export function zoneAtNoon(): string {
  const hours = new Date().getUTCHours() - 12
  // In these names west of Greenwich is positive.
  return `Etc/GMT${hours < 0 ? '' : '+'}${hours}`
}
