import { createWorker } from '../../../../adapters/cloudflare/create-worker.ts'
import { LimitObject } from '../../../../adapters/cloudflare/limit-object.ts'
import type { Admission, Admitted } from '../../../../src/limit/limit-store.ts'

/** The Worker with objects whose answer takes long, so that clients can leave before it. */

const SLOW_MS = 300

class SlowLimitObject extends LimitObject {
  /** Says so when it has been admitted and the answer is still to come. That of the key `failing` gets lost. */
  override async admit(admission: Admission): Promise<Admitted> {
    const admitted = await super.admit(admission)
    console.log(`admitted ${admission.keyId}`)
    await new Promise((done) => setTimeout(done, SLOW_MS))
    if (admission.keyId === 'failing') throw new Error('the answer got lost')
    return admitted
  }
}

// The names of wrangler.toml.
export { SlowLimitObject as LimitObject }
export { UsageObject } from '../../../../adapters/cloudflare/usage-object.ts'

// oxlint-disable-next-line import/no-default-export -- the platform asks for it
export default createWorker()
