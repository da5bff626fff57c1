import { type RawBuilder, sql } from 'kysely'
import { mentionPatternParts, mentionTexts } from './mentions.js'
import { likePattern } from '../postgres/like.js'
import { type readableMessages, visibleOfKind } from './visibility.js'
import type { Agent } from '../kernel/agent.js'
import type { Db } from '../postgres/schema.js'
import type { Visibility } from '../kernel/visibilities.js'

export type ReadableMessages = ReturnType<typeof readableMessages>

/** Conditions by which a caller can filter messages. A filter only removes messages: every field adds a condition. */
export interface MessageFilter {
  sender?: string
  visibility?: Visibility
  parent_message_id?: number
  /** Only messages that mention this agent. */
  mentions?: AgentName
}

/** @param query the messages of a session that the viewer may see */
export function filtered(
  query: ReadableMessages,
  filter: MessageFilter,
  viewer: Agent,
  session_id: string
): ReadableMessages {
  if (filter.sender !== undefined) query = query.where('m.sender', '=', filter.sender)
  if (filter.visibility !== undefined)
    query = query
      .where(sql<boolean>`m.visibility = ${sql.lit(filter.visibility)}`)
      .where(visibleOfKind(filter.visibility, viewer, sql`${session_id}`))
  if (filter.parent_message_id !== undefined) query = query.where('m.parent_message_id', '=', filter.parent_message_id)
  if (filter.mentions !== undefined) query = query.where(mentioning(filter.mentions))
  return query
}

export type AgentName = Pick<Agent, 'workspace' | 'agent_id'>

/** Agents whose names begin with another's, at most. */
const LONGER_MAX = 200

/** The names of agents that begin with this one's. In the collation C these are a range of the index. */
function longerNames({ workspace, agent_id }: AgentName) {
  return sql`select agent_id from agents where workspace = ${workspace} and agent_id > ${agent_id}
    and agent_id < ${agent_id} || chr(1114111) order by agent_id limit ${LONGER_MAX}`
}

export async function readLongerNames(db: Db, agent: AgentName): Promise<string[]> {
  const { rows } = await sql<{ agent_id: string }>`${longerNames(agent)}`.execute(db)
  return rows.map(({ agent_id }) => agent_id)
}

/** As `escaped` (mentions.ts) does it. */
const SPECIAL = String.raw`([][\\^$.*+?(){}|/])`
const ESCAPED = String.raw`\\\1`

/** Whether `m.content` mentions the agent. The LIKE comes first, because the pattern costs much more. */
export function mentioning(agent: AgentName): RawBuilder<boolean> {
  const [before, after] = mentionPatternParts(agent.agent_id)
  const contains = mentionTexts(agent.agent_id).map(text => sql`m.content like ${likePattern(text)}`)
  return sql<boolean>`((${sql.join(contains, sql` or `)}) and m.content ~ (
    select ${before} || coalesce(string_agg(regexp_replace(agent_id, ${SPECIAL}, ${ESCAPED}, 'g') || '|', ''), '')
      || ${after}
    from (${longerNames(agent)}) longer))`
}
