import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import type { Db } from '../../postgres/schema.js'
import { readableMessage } from '../../visibility/visibility.js'
import type { Draft } from './messages.js'

/** Replies within so many minutes belong to one exchange; beyond so many of them, its agents are warned. */
const MINUTES = 10
const WARNED_FROM = 60

/**
 * How many replies an exchange has with these drafts: two agents who answer nothing but each other, each message the
 * answer to the last one. Messages that answer nothing cost nothing. Counted up to `most`.
 */
async function exchange(db: Db, agent: Agent, drafts: readonly Draft[], most: number): Promise<number> {
  const parents = [...new Set(drafts.flatMap(({ parent_message_id = [] }) => parent_message_id))]
  if (parents.length === 0) return 0
  const recent = sql`m.timestamp > clock_timestamp() - make_interval(mins => ${MINUTES})`
  const message = (id: ReturnType<typeof sql<number>>) =>
    readableMessage(db, agent, id)
      .where(sql<boolean>`${recent}`)
      .select(['m.sender', 'm.parent_message_id'])
  const { rows } = await sql<{ replies: number }>`
    with recursive chain as (
      select parent.sender as other, parent.sender, parent.parent_message_id, 1 as n
      from unnest(${parents}::bigint[]) asked (id), lateral (${message(sql<number>`asked.id`)}) parent
      where parent.sender <> ${agent.agent_id}
      union all
      select chain.other, before.sender, before.parent_message_id, chain.n + 1
      from chain, lateral (${message(sql<number>`chain.parent_message_id`)}) before
      where before.sender = case chain.sender when chain.other then ${agent.agent_id}::text else chain.other end
        and chain.n < ${most}
    )
    select coalesce(max(n), 0) as replies from chain`.execute(db)
  return Number(rows[0]?.replies ?? 0)
}

/**
 * Runs `write`, and looks whether two agents go on answering each other for too long.
 * @param most replies of an exchange; 0: any number
 * @returns what `write` does, and a warning for its sender
 * @throws AppError CONFLICT beyond `most`, before anything is written
 */
export async function guarded<T>(
  db: Db,
  agent: Agent,
  drafts: readonly Draft[],
  most: number,
  write: () => Promise<T>
): Promise<{ done: T; warnings?: string[] }> {
  const counted = exchange(db, agent, drafts, Math.max(most, WARNED_FROM) + 1)
  if (most > 0 && (await counted) > most) throw endless(most)
  const [done, replies] = await Promise.all([write(), counted])
  return { done, ...(replies > WARNED_FROM && { warnings: [warning] }) }
}

const warning =
  `You and another agent have answered nothing but each other more than ${WARNED_FROM} times within ${MINUTES} ` +
  'minutes. If nothing new comes of it, stop answering.'

function endless(most: number): AppError {
  return new AppError(
    'CONFLICT',
    `Two agents have answered each other more than ${most} times within ${MINUTES} minutes.`,
    {
      context: { limit: most },
      suggestions: [
        'Stop answering this message, or sum up the result in a message that answers nothing',
        `Or wait: only replies of the last ${MINUTES} minutes count`
      ]
    }
  )
}
