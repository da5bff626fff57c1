import type { Agent } from '../kernel/agent.js'
import type { JsonText } from '../kernel/json-text.js'
import { page } from '../messages/store/message-pages.js'
import type { MessageRow } from '../messages/store/messages.js'
import type { Db } from '../postgres/schema.js'
import { sessionNotFound } from '../sessions/store/sessions.js'
import { changesForMany } from './store/feed.js'
import { haveTasksChanged, type ToldTask } from './store/task-changes.js'
import { answerOf, isTold, type Told } from './wait.js'

/** Changes of one reading. */
const READ_AT_ONCE = 1000

export interface Behind {
  session_id: string
  after_seq: number
  limit: number
  sender: string | undefined
  mentions_only: boolean
}

export interface Found {
  messages: JsonText | MessageRow[]
  tasks?: ToldTask[]
  count: number
  last_seq: number
  has_more: boolean
}

/**
 * What has come after a cursor, without waiting. Where tasks have changed, the feed tells both in its order. Elsewhere,
 * and for one who wants some messages alone, the database leaves out what is not wanted.
 */
export async function whatCame(db: Db, viewer: Agent, asked: Behind): Promise<Found> {
  const { session_id, after_seq, limit, sender, mentions_only } = asked
  const mentions = mentions_only ? viewer : undefined
  const { messages, count, has_more, highest, head } = await page(db, viewer, session_id, {
    ...{ sender, mentions, limit, after_seq },
    offset: 0,
    order: 'asc'
  })
  // After the messages: the cursor passes no change of a task that came while they were read.
  if (sender === undefined && !mentions_only) {
    const [tasks] = await haveTasksChanged(db, { workspace: viewer.workspace, session_id, after_seq })
    if (tasks?.changed === true) return changesAfter(db, viewer, asked)
  }
  return { messages, count, last_seq: has_more ? (highest as number) : head, has_more }
}

async function changesAfter(db: Db, viewer: Agent, { session_id, after_seq, limit }: Behind): Promise<Found> {
  const found: Told[] = []
  let cursor = after_seq
  for (let more = true; more && found.length <= limit;) {
    const read = await changesForMany(db, [viewer], session_id, cursor, cursor + READ_AT_ONCE)
    if (read === undefined) throw sessionNotFound()
    found.push(...read.changesOf(0).filter(isTold))
    cursor = read.cursor
    more = cursor < read.head
  }
  return answerOf(found, limit, cursor)
}
