import { sql } from 'kysely'
import { Type } from '@sinclair/typebox'
import { AGENT_ID_MAX, type Agent } from '../../kernel/agent.js'
import { composed } from '../../kernel/text.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { namePlaces } from '../../visibility/mentions.js'

/** Names after an @ that are looked up for one call. */
const PLACES_MAX = 50

/** What the answer to a writer says of the names in its messages. */
export const mentionFields = {
  mentions: Type.Optional(
    Type.Array(Type.String(), { description: 'The agents that the text mentions, by @ and name' })
  ),
  unresolved_mentions: Type.Optional(
    Type.Array(Type.String(), { description: 'Names after an @ that no agent of the workspace has' })
  )
}

export interface Mentioned {
  mentions?: string[]
  unresolved_mentions?: string[]
}

/**
 * Whom messages mention. A text without an @ costs nothing; any other costs one statement, for at most 50 names.
 * An agent that is limited to sessions learns only of those that have been in this one.
 */
export async function mentionedIn(
  db: Db,
  { workspace, sessions }: Agent,
  session_id: string,
  contents: readonly string[]
): Promise<Mentioned> {
  const places = contents
    .filter(content => content.includes('@') || content.includes('＠'))
    .flatMap(content => namePlaces(content, PLACES_MAX, AGENT_ID_MAX))
    .slice(0, PLACES_MAX)
    .map(({ word, candidates }) => ({
      word,
      candidates: candidates.flatMap(name => [...new Set([name, composed(name)])])
    }))
  if (places.length === 0) return {}
  const names = [...new Set(places.flatMap(({ candidates }) => candidates))]
  const within = sessions === undefined ? null : session_id
  const found = await findAgents(db, { workspace, names, session_id: within })
  const known = new Set(found.map(({ agent_id }) => agent_id))
  const mentions = new Set<string>()
  const unresolved = new Set<string>()
  for (const { word, candidates } of places) {
    const name = candidates.find(candidate => known.has(candidate))
    if (name !== undefined) mentions.add(name)
    else if (word !== '') unresolved.add(word)
  }
  return {
    ...(mentions.size > 0 && { mentions: [...mentions] }),
    ...(unresolved.size > 0 && { unresolved_mentions: [...unresolved] })
  }
}

const findAgents = defineStatement<
  { workspace: string; names: string[]; session_id: string | null },
  { agent_id: string }
>(
  'agents.named',
  (_db, { workspace, names, session_id }) =>
    sql`select agent_id from agents a where workspace = ${workspace} and agent_id = any(${names}::text[])
      and (${session_id}::text is null or exists (select from session_presence p where p.workspace = ${workspace}
        and p.session_id = ${session_id} and p.agent_id = a.agent_id))`
)
