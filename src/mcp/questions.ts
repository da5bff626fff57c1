import type { FastifyInstance } from 'fastify'
import { randomUUID } from 'node:crypto'
import { mcpTopic } from '../kernel/events.js'
import * as sessionState from '../agents/store/mcp-session-state.js'
import type { LookUp } from '../agents/store/mcp-sessions.js'
import { agrees, type Question } from './confirmation.js'
import type { Message } from './messages.js'

const ID = /^confirm-[0-9a-f-]{36}$/

/** What the user of a client said; undefined: nothing, because the time was up, or the call was cancelled. */
export type Said = { agreed: boolean } | undefined

/**
 * Asks users of 2025-era clients over HTTP: the question goes out on the stream that answers the call. The client's
 * answer is a request of its own, which may come to another replica. It is noted in the session's row then, where the
 * replica that asked finds it.
 */
export function createQuestions(lookUp: LookUp, app: FastifyInstance) {
  const open = new Map<string, (said: Said) => void>()
  const nameOf = (id_hash: Buffer, id: string) => `${id_hash.toString('hex')} ${id}`

  async function look(id_hash: Buffer, id: string, tell: (said: Said) => void): Promise<void> {
    try {
      const agreed = (await lookUp(id_hash))?.answers[id]
      if (agreed !== undefined) tell({ agreed })
    } catch (error) {
      app.log.info({ err: app.kernel.ports.loggableFault(error) }, 'answer of a user not read')
    }
  }

  return {
    /**
     * @param send sends a message to the client
     * @param over aborted when nobody waits for the answer any more
     */
    async ask(
      id_hash: Buffer,
      question: Question,
      { send, over, timeout_ms }: { send: (message: unknown) => void; over: AbortSignal; timeout_ms: number }
    ): Promise<Said> {
      const id = `confirm-${randomUUID()}`
      const name = nameOf(id_hash, id)
      let unsubscribe = () => {}
      let timer: NodeJS.Timeout | undefined
      try {
        return await new Promise<Said>(tell => {
          const end = () => {
            tell(undefined)
          }
          if (over.aborted) end()
          over.addEventListener('abort', end, { once: true })
          timer = setTimeout(end, timeout_ms)
          open.set(name, tell)
          unsubscribe = app.events.subscribe(mcpTopic(id_hash), () => void look(id_hash, id, tell))
          send({ jsonrpc: '2.0', id, method: 'elicitation/create', params: question })
        })
      } finally {
        clearTimeout(timer)
        open.delete(name)
        unsubscribe()
      }
    },
    /** Takes what a client has answered. Answers to nothing that was asked are passed over. */
    async receive(id_hash: Buffer, { id, result }: Message): Promise<void> {
      if (typeof id !== 'string' || !ID.test(id)) return
      const agreed = agrees(result)
      const tell = open.get(nameOf(id_hash, id))
      if (tell !== undefined) {
        tell({ agreed })
        return
      }
      await sessionState.answer(app.database.db, id_hash, id, agreed)
      app.events.publish([mcpTopic(id_hash)])
    }
  }
}

export type Questions = ReturnType<typeof createQuestions>
