import { type RawBuilder, sql } from 'kysely'
import { mentionPattern, mentionText } from './mentions.js'
import { likePattern } from '../postgres/like.js'
import type { readableMessages } from './visibility.js'
import type { Visibility } from '../kernel/visibilities.js'

export type ReadableMessages = ReturnType<typeof readableMessages>

/** Conditions by which a caller can filter messages. A filter only removes messages: every field adds a condition. */
export interface MessageFilter {
  sender?: string
  visibility?: Visibility
  parent_message_id?: number
  /** Only messages that mention this agent. */
  mentions?: string
}

export function filtered(query: ReadableMessages, filter: MessageFilter): ReadableMessages {
  if (filter.sender !== undefined) query = query.where('m.sender', '=', filter.sender)
  if (filter.visibility !== undefined) query = query.where('m.visibility', '=', filter.visibility)
  if (filter.parent_message_id !== undefined) query = query.where('m.parent_message_id', '=', filter.parent_message_id)
  if (filter.mentions !== undefined) query = query.where(mentioning(filter.mentions))
  return query
}

/** Whether `m.content` mentions the agent. The LIKE comes first, because the pattern costs much more. */
export function mentioning(agent_id: string): RawBuilder<boolean> {
  return sql<boolean>`(m.content like ${likePattern(mentionText(agent_id))}
      and m.content ~ ${mentionPattern(agent_id)})`
}
