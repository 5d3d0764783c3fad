import { DurableObject } from 'cloudflare:workers'
import { createWorker } from '../../../../adapters/cloudflare/create-worker.ts'

/** The Worker with objects that are of no use: they throw or, where its variable SILENT says so, never answer. */

type Env = { SILENT?: string }

/** Longer than any test; the platform ends at once what waits for nothing. */
const FOR_EVER_MS = 120_000

class DeadObject extends DurableObject<Env> {
  async fail(): Promise<never> {
    if (this.env.SILENT === 'yes') await new Promise((done) => setTimeout(done, FOR_EVER_MS))
    throw new Error('the object is broken')
  }
}

class DeadLimitObject extends DeadObject {
  admit(): Promise<never> {
    console.log('asked to admit')
    return this.fail()
  }

  peek(): Promise<never> {
    console.log('asked to peek')
    return this.fail()
  }

  release(): Promise<never> {
    return this.fail()
  }
}

class DeadUsageObject extends DeadObject {
  append(): Promise<never> {
    return this.fail()
  }

  totals(): Promise<never> {
    return this.fail()
  }
}

// The names of wrangler.toml.
export { DeadLimitObject as LimitObject, DeadUsageObject as UsageObject }

// oxlint-disable-next-line import/no-default-export -- the platform asks for it
export default createWorker(undefined, 200)
