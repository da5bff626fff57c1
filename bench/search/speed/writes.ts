import type { AuditRow } from '../../../src/kernel/receipt.js'
import type { Database } from '../../../src/postgres/connect.js'
import { NO_QUOTAS } from '../../../src/limits/quotas.js'
import { createMessageWriter, type MessageWriter } from '../../../src/messages/store/message-writer.js'
import type { Corpus } from '../corpus.js'
import type { Session } from './layout.js'

export interface Writing {
  stop: () => Promise<{ perSecond: number; failed: number; skipped: number }>
}

const TICK_MS = 10
/** Beyond that the database is not keeping up, and more waiting writers would only hide it. */
const IN_FLIGHT_MAX = 200

/**
 * Messages written as add_message does, at a fixed rate whether or not the last ones are done, in turns into some
 * sessions.
 */
export function write({ db }: Database, corpus: Corpus, sessions: Session[], perSecond: number): Writing {
  const writer = createMessageWriter(db, NO_QUOTAS)
  let [due, given, done, failed, skipped, inFlight] = [0, 0, 0, 0, 0, 0]
  const begun = performance.now()
  const pending = new Set<Promise<void>>()
  const timer = setInterval(() => {
    due = Math.floor(((performance.now() - begun) / 1000) * perSecond)
    for (; given < due; given++) {
      if (inFlight >= IN_FLIGHT_MAX) {
        skipped++
        continue
      }
      inFlight++
      const writing = one(writer, corpus, sessions[given % sessions.length] as Session, given + 1)
        .then(
          () => {
            done++
          },
          () => {
            failed++
          }
        )
        .finally(() => {
          inFlight--
          pending.delete(writing)
        })
      pending.add(writing)
    }
  }, TICK_MS)
  return {
    async stop() {
      clearInterval(timer)
      const seconds = (performance.now() - begun) / 1000
      await Promise.all(pending)
      return { perSecond: done / seconds, failed, skipped }
    }
  }
}

async function one(writer: MessageWriter, corpus: Corpus, session: Session, n: number): Promise<void> {
  const { sender, sender_type, content, visibility, metadata } = corpus.message('written-meanwhile', n)
  const agent = {
    workspace: 'default',
    agent_id: sender,
    agent_type: sender_type,
    permissions: ['read' as const, 'write' as const]
  }
  const audit: AuditRow = {
    workspace: 'default',
    event_type: 'message_added',
    agent_id: sender,
    session_id: session.id,
    action: 'add_message',
    resource: null,
    result: 'success',
    request_id: `bench-${n}`,
    metadata: {}
  }
  await writer.write({
    sender: agent,
    session_id: session.id,
    drafts: [{ content, visibility: visibility === 'admin_only' ? 'public' : visibility, metadata }],
    audit
  })
}
