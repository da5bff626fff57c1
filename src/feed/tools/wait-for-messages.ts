import { type Static, Type } from '@sinclair/typebox'
import { mayEnter } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { rightsEnded } from '../../agents/rights.js'
import type { EndReason } from '../live.js'
import { mentionsOf } from '../../visibility/mentions.js'
import { Numeric } from '../../kernel/schema.js'
import { defineTool, type ToolContext } from '../../kernel/tool.js'
import type { Change } from '../store/feed.js'
import { page } from '../../messages/store/message-pages.js'
import type { MessageRow } from '../../messages/store/messages.js'
import * as sessions from '../../sessions/store/sessions.js'
import { AgentId, input, Limit, Message, output, Seq, SessionId } from '../../kernel/shapes.js'
import type { ConcurrencyLimit } from '../../limits/concurrency-limit.js'
import type { Live } from '../live.js'

/** Some clients give up after 5 s, and most MCP clients after 30. */
const TIMEOUT_DEFAULT = 4
const TIMEOUT_MAX = 60
const TIMEOUT_MAX_MCP = 25

/**
 * How far behind those who follow a session one may be to be brought up with them; from farther, what it does not want
 * is passed over in the database.
 */
const NEAR = 5000
/** Seconds that one has to have for it: a replica with much to tell takes up to 0.5 s to come to it. */
const NEAR_SECONDS = 1

const answer = output({
  messages: Type.Array(Message),
  count: Type.Integer({ description: 'Messages in this answer' }),
  last_seq: Type.Integer({ description: 'The next after_seq: the highest seq this answer has taken account of' }),
  timed_out: Type.Boolean({
    description:
      'Whether the time was up, or the server asks you to come back, before anything came: call again with last_seq as after_seq'
  }),
  has_more: Type.Boolean({ description: 'Whether there are more than limit; they come with the next call, at once' }),
  is_active: Type.Boolean({
    description: 'false: the session is closed, and nobody can write in it unless it is reopened'
  })
})
type Answer = Static<typeof answer>

/** What a wait holds on to. */
export interface WaitDeps {
  live: Live
  /** Bounds the calls that wait at the same time. */
  waiters: ConcurrencyLimit
  /** Aborted when this replica stops: waits end then, with an answer that makes the client come back. */
  stopping: AbortSignal
}

export const waitForMessages = (deps: WaitDeps) =>
  defineTool({
    name: 'wait_for_messages',
    title: 'Wait for messages',
    description:
      'Wait until a message that you may see comes, and get it; at once if there is one after after_seq. Pass last_seq of the previous answer as after_seq, and nothing is missed or got twice. ' +
      `When the time is up the answer is empty, with timed_out: true; call again with its last_seq. At most ${TIMEOUT_MAX_MCP} seconds over MCP, ${TIMEOUT_MAX} over REST. A session that is closed meanwhile ends it too.`,
    permission: 'read',
    effect: 'reads',
    commits: 'none',
    input: input({
      session_id: SessionId,
      after_seq: Type.Optional(
        Seq('Only what became visible to you after this seq. Left out: only what comes from now on')
      ),
      timeout_seconds: Type.Optional(
        Numeric({
          minimum: 0,
          maximum: TIMEOUT_MAX,
          default: TIMEOUT_DEFAULT,
          description: `How long to wait; at most ${TIMEOUT_MAX_MCP} over MCP. 0: only look`
        })
      ),
      limit: Limit(50, 1000),
      sender: Type.Optional(AgentId('Wait for messages of this agent alone')),
      mentions_only: Type.Optional(
        Type.Boolean({
          default: false,
          description: 'true: wait only for messages that mention you, as @ and your agent_id'
        })
      )
    }),
    output: answer,
    waits_ms: ({ timeout_seconds = TIMEOUT_DEFAULT }) => timeout_seconds * 1000,
    async handler(
      { session_id, after_seq, timeout_seconds = TIMEOUT_DEFAULT, limit = 50, sender, mentions_only = false },
      context
    ) {
      const { db, agent, caller } = context
      if (caller.front === 'mcp' && timeout_seconds > TIMEOUT_MAX_MCP) throw tooLong(timeout_seconds)
      const started = performance.now()
      const waiting = (cursor: number, is_active: boolean) => {
        const mentions = mentions_only ? mentionsOf(agent.agent_id) : () => true
        const maxChanges = sender === undefined && !mentions_only ? limit + 1 : undefined
        const wanted = (message: MessageRow) =>
          (sender === undefined || message.sender === sender) && mentions(message.content)
        return wait(
          session_id,
          { cursor, is_active, limit, maxChanges, wanted, started, total_ms: timeout_seconds * 1000 },
          context,
          deps
        )
      }
      // Who comes back to where the others stand, or near it, need not ask for itself: many do, each time one message has
      // answered them all.
      const standing =
        timeout_seconds > 0 &&
        (after_seq === undefined || timeout_seconds >= NEAR_SECONDS) &&
        mayEnter(agent, session_id)
          ? deps.live.position(agent.workspace, session_id)
          : undefined
      if (
        standing !== undefined &&
        after_seq !== undefined &&
        after_seq <= standing.cursor &&
        after_seq >= standing.cursor - NEAR
      )
        return waiting(after_seq, standing.is_active)
      const { last_seq, is_active } = await sessions.need(db, agent, session_id)
      // A cursor beyond the end, of a typing error or of another session, would wait past what comes next.
      let cursor = Math.min(after_seq ?? last_seq, last_seq)
      if (cursor < last_seq) {
        const found = await page(db, agent, session_id, {
          sender,
          mentions: mentions_only ? agent.agent_id : undefined,
          limit,
          offset: 0,
          after_seq: cursor,
          order: 'asc'
        })
        cursor = found.has_more ? (found.highest as number) : found.head
        if (found.count > 0)
          return {
            messages: found.messages,
            count: found.count,
            last_seq: cursor,
            timed_out: false,
            has_more: found.has_more,
            is_active
          }
      }
      return waiting(cursor, is_active)
    }
  })

function tooLong(given: number): AppError {
  const allowed = `a number from 0 to ${TIMEOUT_MAX_MCP} over MCP`
  return new AppError(
    'INVALID_INPUT',
    `The argument 'timeout_seconds' must be ${allowed}, since most MCP clients give up after 30 seconds.`,
    {
      context: { argument: 'timeout_seconds', given: `the number ${given}`, allowed },
      suggestions: [`Pass at most ${TIMEOUT_MAX_MCP}, and call again with last_seq as after_seq when timed_out is true`]
    }
  )
}

interface Waiting {
  cursor: number
  is_active: boolean
  limit: number
  maxChanges: number | undefined
  wanted: (message: MessageRow) => boolean
  started: number
  total_ms: number
}

/**
 * Holds a place among those who wait, and nothing else, until something comes, the time is up or the client is gone.
 */
async function wait(
  session_id: string,
  { cursor, is_active, limit, maxChanges, wanted, started, total_ms }: Waiting,
  { agent, caller }: ToolContext<'read'>,
  { live, waiters, stopping }: WaitDeps
): Promise<Answer> {
  const left_ms = total_ms - (performance.now() - started)
  const nothing = (): Answer => ({
    messages: [],
    count: 0,
    last_seq: cursor,
    timed_out: true,
    has_more: false,
    is_active
  })
  const signal = caller.disconnected?.()
  const { progress } = caller
  if (left_ms <= 0 || stopping.aborted || signal?.aborted === true) return nothing()
  const giveBack = waiters.take(agent)
  const work = caller.releaseSlot?.()
  let free = () => {}
  const found: Array<{ seq: number; message: MessageRow }> = []
  const answer = (): Answer => {
    const kept = found.slice(0, limit)
    const has_more = found.length > limit
    return {
      ...nothing(),
      messages: kept.map(({ message }) => message),
      count: kept.length,
      last_seq: has_more ? (kept.at(-1) as { seq: number }).seq : cursor,
      has_more,
      timed_out: false
    }
  }
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const timeUp = () => {
        resolve(found.length === 0 ? nothing() : answer())
      }
      const timer = setTimeout(timeUp, left_ms)
      signal?.addEventListener('abort', timeUp, { once: true })
      const following = live.follow(session_id, agent, cursor, {
        maxChanges,
        deliver(changes, upTo, more) {
          const closed = sessionIn(changes)
          for (const change of changes)
            if (change.type === 'message_added' && wanted(change.message)) found.push(change)
          cursor = upTo
          is_active = closed ?? is_active
          // What is there already belongs to this answer, as far as it goes.
          if (closed !== false && (found.length === 0 || (more && found.length <= limit))) return
          resolve(answer())
          // At once, not with the promise: another delivery would move the cursor of this answer.
          free()
        },
        ended(reason) {
          if (reason === 'stopping') timeUp()
          else reject(whyEnded(reason))
        },
        ...(progress !== undefined && {
          tick: () => {
            progress((performance.now() - started) / 1000, total_ms / 1000)
          }
        })
      })
      free = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', timeUp)
        following.close()
      }
    })
  } finally {
    free()
    giveBack()
    work?.()
  }
}

/** Whether the session is open after these changes; undefined where they say nothing of it. */
function sessionIn(changes: readonly Change[]): boolean | undefined {
  const last = changes.findLast(change => change.type === 'session_closed' || change.type === 'session_updated')
  return last === undefined ? undefined : last.type === 'session_updated'
}

function whyEnded(reason: Exclude<EndReason, 'stopping'>): AppError {
  return reason === 'session_gone'
    ? new AppError('SESSION_NOT_FOUND', 'There is no session with that session_id any more.')
    : rightsEnded(reason)
}
