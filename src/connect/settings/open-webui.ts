import type { Snippet } from '../clients.ts'
import { shellWord } from '../quoting.ts'
import { keyBlock, type Target } from '../target.ts'

/** Open WebUI is a server of its own, which asks the gate for everybody who uses it. */
export function openWebuiSettings(target: Target): Omit<Snippet, 'client'> {
  const { keyVariable, model } = target
  const { url, isThisMachine } = fromContainer(target.baseUrl)
  const variables = [
    `OPENAI_API_BASE_URL=${shellWord(`${url}/v1`)}`,
    `OPENAI_API_KEY="$${keyVariable}"`,
    'ENABLE_OLLAMA_API=false',
    'AIOHTTP_CLIENT_TIMEOUT=',
    `TASK_MODEL_EXTERNAL=${shellWord(model)}`,
    `DEFAULT_MODELS=${shellWord(model)}`,
  ]
  const lines = [
    'docker run -d --name open-webui -p 8081:8080',
    '-v open-webui:/app/backend/data',
    ...(isThisMachine ? ['--add-host=host.docker.internal:host-gateway'] : []),
    ...variables.map((variable) => `-e ${variable}`),
    'ghcr.io/open-webui/open-webui:main',
  ]
  return {
    title: 'Open WebUI',
    blocks: [
      keyBlock(target),
      {
        where: 'The same terminal; then open http://localhost:8081',
        language: 'sh',
        text: `${lines.join(' \\\n  ')}\n`,
      },
    ],
    notes: [
      'AIOHTTP_CLIENT_TIMEOUT must be there and empty: otherwise every answer ends after five minutes.',
      'TASK_MODEL_EXTERNAL is the model for titles, tags and follow-up questions: another one would change places with your own at every message.',
      'Variables count only at the first start. Later: Admin Panel, Settings, Connections (URL and key) and Interface (task model).',
      'Direct connections, a setting of each user, call from the browser: the page of Open WebUI must stand in "cors.origins" of the gate\'s config.json.',
      ...(isThisMachine
        ? [
            'Inside a container localhost is the container: host.docker.internal is this machine, where the gate must listen on more than loopback ("listen.host").',
          ]
        : []),
    ],
  }
}

/** The base URL as a container reaches it. */
function fromContainer(baseUrl: string): { url: string; isThisMachine: boolean } {
  const loopback = /^(https?:\/\/)(?:localhost|127\.[\d.]+|\[::1\])(?=[:/]|$)/i
  const url = baseUrl.replace(loopback, '$1host.docker.internal')
  return { url, isThisMachine: url !== baseUrl }
}
