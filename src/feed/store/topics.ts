import { type RawBuilder, sql } from 'kysely'
import { partsOf, type Topic } from '../../kernel/events.js'
import type { Db } from '../../postgres/schema.js'

/**
 * The version of each topic, by which a change is noticed whose hint was lost: one statement for all of a kind. What is
 * gone has the version ''. The kinds without one (version-poll.ts) are left out.
 */
export async function versionsOf(db: Db, topics: readonly Topic[]): Promise<Map<Topic, string>> {
  const versions = new Map<Topic, string>()
  const sessions: Topic[] = []
  const memories: Topic[] = []
  const connections: Topic[] = []
  const inboxes: Topic[] = []
  for (const topic of topics) {
    const { kind } = partsOf(topic)
    if (kind === 'session') sessions.push(topic)
    else if (kind === 'memory') memories.push(topic)
    else if (kind === 'mcp') connections.push(topic)
    else if (kind === 'inbox') inboxes.push(topic)
  }
  const keys = (of: Topic[]) =>
    sql`unnest(${of}::text[], ${of.map(topic => partsOf(topic).of)}::text[],
      ${of.map(topic => partsOf(topic).id)}::text[]) as wanted (topic, workspace, id)`
  // A row at a time, by its key: for many topics PostgreSQL would else read the whole table.
  const one = (statement: RawBuilder<unknown>) => sql`left join lateral (${statement} limit 1) s on true`
  const found = [
    sessions.length > 0 &&
      sql`select wanted.topic, s.last_seq::text as version from ${keys(sessions)}
      ${one(sql`select last_seq from sessions where workspace = wanted.workspace and id = wanted.id`)}`,
    memories.length > 0 &&
      sql`select wanted.topic, m.version from ${keys(memories)}, lateral (
      select concat_ws(' ', count(*), sum(coalesce(revision, version)), max(updated_at)) as version from agent_memory
      where workspace = wanted.workspace and agent_id = wanted.id and (session_id < '/' or session_id >= '0')
        and (expires_at is null or expires_at > clock_timestamp())) m`,
    inboxes.length > 0 &&
      sql`select wanted.topic, s.version from ${keys(inboxes)}
      ${one(sql`select message_id::text as version from inbox where workspace = wanted.workspace and name = wanted.id
        order by message_id desc`)}`,
    connections.length > 0 &&
      sql`select wanted.topic, s.version from ${keys(connections)}
      ${one(sql`select xmin::text as version from mcp_sessions where id_hash = decode(wanted.workspace, 'hex')`)}`
  ].filter(statement => statement !== false)
  for (const statement of found) {
    const { rows } = await sql<{ topic: Topic; version: string | null }>`${statement}`.execute(db)
    for (const { topic, version } of rows) versions.set(topic, version ?? '')
  }
  return versions
}
