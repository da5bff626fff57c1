import type { Agent } from './agent.js'
import { JsonText } from './json-text.js'
import { isFor } from './addresses.js'

interface Told {
  id?: unknown
  to?: unknown
}

/** The messages of an answer that are addressed to the agent who gets it, by their ids. */
export function messagesTo(agent: Agent, body: Record<string, unknown>): number[] {
  const { messages, message, reply, results } = body
  if (messages instanceof JsonText) return [...messages.to_viewer]
  const told = [...listed(messages), message, reply]
  for (const result of listed(results)) {
    const { message, before, after } = result as { message?: unknown; before?: unknown; after?: unknown }
    told.push(message, ...listed(before), ...listed(after))
  }
  return told.flatMap(one => {
    const { id, to } = (one ?? {}) as Told
    return typeof id === 'number' && Array.isArray(to) && isFor(agent, to as string[]) ? [id] : []
  })
}

function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}
