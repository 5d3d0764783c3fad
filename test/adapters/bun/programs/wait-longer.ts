import { runtime } from '../../../../adapters/bun/runtime.ts'

// usage: bun test/adapters/bun/programs/wait-longer.ts URL
// Asks a server that is silent before its answer (/head) and in the middle of it (/body), as the gate on Bun does and with
// Bun's plain fetch. Once that one has given up both, /release lets the server go on. Tells what became of each.

const [, , url = ''] = process.argv
const PATHS = ['/head', '/body']

/** What comes of a call by the gate's upstream. */
function ask(target: string): Promise<string> {
  const answer = Promise.withResolvers<string>()
  let text = ''
  const request = { method: 'GET', target, headers: [], body: undefined }
  runtime.createUpstream(url).send(request, {
    head: () => {},
    chunk: (bytes) => void (text += Buffer.from(bytes).toString()),
    end: () => answer.resolve(text),
    failure: (failure, cause) => answer.resolve(`${failure}: ${cause}`),
  })
  return answer.promise
}

async function askPlainly(target: string): Promise<string> {
  try {
    return await (await fetch(url + target)).text()
  } catch (error) {
    return String(error)
  }
}

const asked = PATHS.map(ask)
const plain = await Promise.all(PATHS.map(askPlainly))
await fetch(`${url}/release`)
console.log(JSON.stringify({ plain, gate: await Promise.all(asked) }))
