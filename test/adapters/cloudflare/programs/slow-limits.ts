import * as z from 'zod'
import { createWorker, type WorkerEnv } from '../../../../adapters/cloudflare/create-worker.ts'
import { LimitObject } from '../../../../adapters/cloudflare/limit-object.ts'
import type { Admission, Admitted } from '../../../../src/limit/limit-store.ts'

/** The Worker, which tells when a client leaves, with objects whose answer waits for that of another server. */

const variables = z.object({ HOLD_URL: z.string() })

class SlowLimitObject extends LimitObject {
  /** Asks when it has been admitted and the answer is still to come. That of the key `failing` gets lost. */
  override async admit(admission: Admission): Promise<Admitted> {
    const admitted = await super.admit(admission)
    const { HOLD_URL } = variables.parse(this.env)
    await (await fetch(HOLD_URL)).text()
    if (admission.keyId === 'failing') throw new Error('the answer got lost')
    return admitted
  }
}

// The names of wrangler.toml.
export { SlowLimitObject as LimitObject }
export { UsageObject } from '../../../../adapters/cloudflare/usage-object.ts'

const worker = createWorker()

// oxlint-disable-next-line import/no-default-export -- the platform asks for it
export default {
  ...worker,
  fetch(request, env, ctx) {
    request.signal.addEventListener('abort', () => console.log('left'))
    return worker.fetch?.(request, env, ctx) ?? new Response(null, { status: 500 })
  },
} satisfies ExportedHandler<WorkerEnv>
