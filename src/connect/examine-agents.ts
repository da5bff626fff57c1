import { type Caller, clientOf, isAway } from './call.js'
import type { CodingAgent } from './coding-agents.js'
import { addressIn, KEY_VARIABLE, keyIn, SERVER_NAME } from './entries.js'
import { readFound } from './file.js'
import { fileOf, findCodingAgents, SCOPES } from './find.js'
import { type Finding, fault, fine } from './finding.js'
import type { Machine } from './machine.js'
import { valueAt } from './text/formats.js'
import { Refused } from './text/refused.js'

/** Of each coding agent of the machine: is it connected, to this server, with a key that is good? */
/** @param connect what people type to connect a coding agent to this server, without its name */
export async function examineCodingAgents(
  machine: Machine,
  url: string,
  connect: (name: string) => string
): Promise<Finding[]> {
  const found = await findCodingAgents(machine)
  return Promise.all(found.map(agent => examine(agent, machine, url, connect(agent.name))))
}

async function examine(agent: CodingAgent, machine: Machine, url: string, connect: string): Promise<Finding> {
  const { title, format, servers } = agent
  for (const scope of SCOPES) {
    const path = await fileOf(agent, machine, scope)
    if (path === undefined) continue
    let entry: unknown
    try {
      entry = valueAt(format, (await readFound(path)).text, [...servers, SERVER_NAME])
    } catch (error) {
      if (error instanceof Refused) return fault(title, `The file ${path} ${error.message}.`, 'Mend the file.')
      throw error
    }
    if (entry === undefined) continue
    const again = `${connect}${scope === 'project' ? ' --scope project' : ''}`
    const address = addressIn(entry)
    if (address === undefined) return fine(title, `starts the program itself, in ${path}`)
    if (address !== `${url}/mcp`)
      return fault(
        title,
        `It is connected to ${address}, in ${path}.`,
        `To connect it to ${url}, run: ${again}. To look at that server, use --url.`
      )
    const key = keyIn(entry) ?? machine.env[KEY_VARIABLE]
    if (key === undefined || key === '')
      return fault(title, `Its key comes from ${KEY_VARIABLE}, which is not set here.`, 'Set it where it is started.')
    const refused = await whyRefused({ url, api_key: key, ...nameIn(entry) })
    return refused === undefined ? fine(title, `connected, in ${path}`) : fault(title, refused, `Run: ${again}`)
  }
  return fine(title, `not connected; this does it: ${connect}`)
}

function nameIn(entry: unknown): Pick<Caller, 'agent_id' | 'agent_type'> {
  const { headers, http_headers } = Object(entry) as Record<string, unknown>
  const { 'X-Agent-Id': agent_id, 'X-Agent-Type': agent_type } = Object(headers ?? http_headers) as Record<
    string,
    unknown
  >
  return { ...(typeof agent_id === 'string' && { agent_id }), ...(typeof agent_type === 'string' && { agent_type }) }
}

async function whyRefused(caller: Caller): Promise<string | undefined> {
  try {
    const { agent_info } = await clientOf(caller).getUsageGuidance()
    return agent_info === null && caller.agent_id !== undefined ? 'The server does not take its key.' : undefined
  } catch (error) {
    // That the server is away is said elsewhere.
    return isAway(error) ? undefined : `The server does not take its key: ${(error as Error).message}`
  }
}
