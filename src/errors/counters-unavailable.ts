/**
 * What a store of limits or of usage rejects with where it cannot be reached, or does not answer in time. That passes, and
 * is no fault of the gate; `because` is for the log.
 */
export class CountersUnavailable extends Error {
  override readonly name = 'CountersUnavailable'

  constructor(because: unknown) {
    super(String(because))
  }
}
