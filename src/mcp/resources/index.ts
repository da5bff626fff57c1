import { callTool, type Kernel } from '../../kernel/call.js'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { answerOf, refusal } from '../failure.js'
import { listerOf } from '../lister.js'
import { agentMemory } from './agent-memory.js'
import { notThere } from './not-there.js'
import { isTemplate, matcher, type Resource } from './resource.js'
import { serverInfo } from './server-info.js'
import { session } from './session.js'
import { sessionMessages } from './session-messages.js'
import { toolDocs } from './tool-docs.js'

/** Sessions that resources/list names: the newest. */
const SESSIONS_LISTED = 50

export function createResources(kernel: Kernel) {
  const resources = [serverInfo, toolDocs(kernel.catalogue.tools), session, sessionMessages, agentMemory]
  const matchers = resources.map(resource => ({ resource, match: matcher(resource.uri) }))
  const static_resources = resources.filter(resource => !isTemplate(resource)).map(entry)
  const templates = resources.filter(isTemplate).map(resource => {
    const { uri: uriTemplate, ...rest } = entry(resource)
    return { uriTemplate, ...rest }
  })
  return {
    templates: { resourceTemplates: templates },
    /** Open to everybody; the caller's own and what it may see are added for a caller who is known. */
    async list(caller: Caller) {
      const agent = await listerOf('resources/list', caller, kernel)
      if (agent === null || (agent instanceof AppError && agent.status === 401)) return { resources: static_resources }
      if (agent instanceof AppError) throw refusal(agent, caller.request_id)
      const { sessions } = answerOf(await callTool('list_sessions', { limit: SESSIONS_LISTED }, caller, kernel)) as {
        sessions: ListedSession[]
      }
      const memory = { ...entry(agentMemory), uri: `agent://${encodeURIComponent(agent.agent_id)}/memory` }
      return { resources: [...static_resources, memory, ...sessions.map(sessionEntry)] }
    },
    async read(uri: string, caller: Caller) {
      for (const { resource, match } of matchers) {
        const parts = match(uri)
        if (parts !== undefined)
          return { contents: [{ uri, mimeType: resource.mimeType, text: await resource.read(parts, caller, kernel) }] }
      }
      throw notThere()
    }
  }
}

interface ListedSession {
  id: string
  purpose: string
  message_count: number
  last_activity: string
  is_active: boolean
}

function sessionEntry({ id, purpose, message_count, last_activity, is_active }: ListedSession) {
  return {
    uri: `session://${id}`,
    name: id,
    title: [...purpose].slice(0, 100).join(''),
    description:
      `${is_active ? 'Open' : 'Closed'}, ${message_count} messages you may see, ` + `last activity ${last_activity}`,
    mimeType: session.mimeType
  }
}

function entry({ uri, name, title, description, mimeType }: Resource) {
  return { uri, name, title, description, mimeType }
}
