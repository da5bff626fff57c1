import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyInstance } from 'fastify'
import type { Agent } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { mcpTopic } from '../../kernel/events.js'
import * as sessionState from '../../agents/store/mcp-session-state.js'
import type { HeldSession, ResourceVersion } from '../../agents/store/mcp-sessions.js'
import type { EndReason } from '../../feed/live.js'
import { commentFrame, eventFrame } from '../../http/event-frames.js'
import { EventStream } from '../../http/event-stream.js'
import type { LookUp } from '../../agents/store/mcp-sessions.js'
import { createOutbox, type Outbox } from './outbox.js'
import type { Open, Streams } from './streams.js'
import { versionsOf } from './subscribable.js'
import type { Watch, Watches } from './watch.js'

/** How soon the row is read again after the database did not answer. */
const RETRY_MS = 1000

type Goodbye = 'stopping' | 'session_gone' | 'session_ended' | 'token_ended' | 'key_ended' | 'unavailable'

export interface NotificationOptions {
  app: FastifyInstance
  streams: Streams
  watches: Watches
  lookUp: LookUp
  /** Whom a session's row names; undefined: nobody (any more). */
  viewerOf: (session: HeldSession) => Promise<Agent | undefined>
}

/**
 * The open notification stream of a 2025-era client. It reads the session's row again whenever the row has changed, and
 * does what the row says.
 */
export class NotificationStream implements Open {
  private readonly name = randomUUID()
  private readonly stream: EventStream<Goodbye>
  private readonly outbox: Outbox
  private readonly unsubscribe: () => void
  private readonly watched = new Set<string>()
  private watch: Watch | undefined
  private reading = false
  private again = false

  /**
   * @param agent whose rights the stream has at first: if they end before the row is read again, the client is told
   * @param leave gives back what the stream takes of the limit
   */
  constructor(
    reply: FastifyReply,
    private readonly id_hash: Buffer,
    private agent: Agent | undefined,
    private leave: () => void,
    private readonly options: NotificationOptions
  ) {
    const { app, streams } = options
    this.stream = new EventStream<Goodbye>(reply, {
      last: reason => commentFrame(`ended: ${reason}`),
      onEnd: () => {
        this.close()
      }
    })
    this.outbox = createOutbox(
      uri => {
        void this.stream.send(
          eventFrame('message', { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } })
        )
      },
      () => this.stream.ready()
    )
    this.unsubscribe = app.events.subscribe(mcpTopic(id_hash), () => {
      void this.reread()
    })
    streams.add(this)
    void this.stream.send(commentFrame('open'))
  }

  /** Makes this stream the one of its session that delivers. */
  async begin(): Promise<void> {
    const { database, events, kernel, log } = this.options.app
    try {
      await sessionState.takeStream(database.db, this.id_hash, this.name)
      events.publish([mcpTopic(this.id_hash)])
      await this.reread()
    } catch (error) {
      log.warn({ err: kernel.ports.loggableFault(error) }, 'mcp stream not opened')
      this.stream.end('unavailable')
    }
  }

  viewer(): Agent | undefined {
    return this.agent
  }

  look(): void {
    void this.reread()
  }

  end(reason: EndReason): void {
    if (reason === 'stopping' || reason === 'session_gone') this.stream.end(reason)
    // The session may have got another token since: the row tells.
    else void this.reread()
  }

  private close(): void {
    const { database, events, kernel, log } = this.options.app
    this.forget()
    this.outbox.close()
    this.unsubscribe()
    this.leave()
    this.options.streams.remove(this)
    sessionState
      .leaveStream(database.db, this.id_hash, this.name)
      .then(delivered => {
        if (delivered) events.publish([mcpTopic(this.id_hash)])
      })
      // The session's next stream will deliver all the same.
      .catch((error: unknown) => {
        log.info({ err: kernel.ports.loggableFault(error) }, 'mcp stream not given back')
      })
  }

  private forget(): void {
    this.watch?.close()
    this.watch = undefined
  }

  private async reread(): Promise<void> {
    if (this.stream.ended) return
    if (this.reading) {
      this.again = true
      return
    }
    this.reading = true
    const { kernel } = this.options.app
    try {
      do {
        this.again = false
        const session = await this.options.lookUp(this.id_hash)
        if (!this.stream.ended) await this.obey(session)
      } while (this.again && !this.stream.ended)
    } catch (error) {
      // The agent that it belongs to now has too many streams: the client may open another one later.
      if (error instanceof AppError) {
        this.stream.end('unavailable')
        return
      }
      kernel.ports.logFault(error, 'mcp session not read', {})
      setTimeout(() => {
        void this.reread()
      }, RETRY_MS).unref()
    } finally {
      this.reading = false
    }
  }

  private async obey(session: HeldSession | undefined): Promise<void> {
    if (session === undefined) {
      this.stream.end('session_ended')
      return
    }
    const now = await this.options.viewerOf(session).catch((error: unknown) => {
      if (error instanceof AppError && error.status === 401) return undefined
      throw error
    })
    if (this.agent !== undefined && now === undefined) {
      this.stream.end(this.agent.token === undefined ? 'key_ended' : 'token_ended')
      return
    }
    if (!haveSameRights(this.agent, now)) {
      this.forget()
      if (this.agent?.agent_id !== now?.agent_id) {
        this.leave()
        this.leave = this.options.streams.take(now)
      }
      this.agent = now
    }
    if (session.stream === null) {
      await sessionState.takeStream(this.options.app.database.db, this.id_hash, this.name, true)
      this.again = true
    }
    if (this.agent === undefined || session.stream !== this.name) {
      this.forget()
      return
    }
    await this.watchAs(this.agent, session.subscriptions)
  }

  private async watchAs(agent: Agent, subscriptions: Map<string, ResourceVersion>): Promise<void> {
    const isNew = this.watch === undefined
    // The versions are read before the client is told and before the watch begins: no change between them is missed.
    const versions = isNew ? await versionsOf(agent, [...subscriptions.keys()], this.options.app) : subscriptions
    if (this.stream.ended) return
    const watch = (this.watch ??= this.options.watches(agent, {
      updated: this.outbox.updated,
      ended: reason => {
        this.end(reason)
      }
    }))
    if (isNew) this.watched.clear()
    for (const uri of this.watched) {
      if (subscriptions.has(uri)) continue
      this.watched.delete(uri)
      watch.remove(uri)
    }
    for (const [uri, version] of versions) {
      if (this.watched.has(uri)) continue
      this.watched.add(uri)
      watch.add(uri, version)
      if (isNew) this.outbox.updated(uri)
    }
  }
}

/** Whether two identities of one session may see the same. */
function haveSameRights(a: Agent | undefined, b: Agent | undefined): boolean {
  return (
    a?.workspace === b?.workspace &&
    a?.agent_id === b?.agent_id &&
    a?.agent_type === b?.agent_type &&
    a?.token?.jti === b?.token?.jti &&
    a?.key_id === b?.key_id &&
    a?.permissions.join() === b?.permissions.join() &&
    a?.sessions?.join() === b?.sessions?.join()
  )
}
