import type { FastifyInstance } from 'fastify'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { PROTOCOL_VERSION_META_KEY, type JSONRPCMessage, type Server } from '@modelcontextprotocol/server'
import type { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { explain } from '../../kernel/authorize.js'
import type { Agent } from '../../kernel/agent.js'
import type { Caller } from '../../kernel/caller.js'
import { type ResourceVersion, SUBSCRIPTIONS_MAX } from '../../agents/store/mcp-sessions.js'
import { refusal, RpcFailure } from '../failure.js'
import { LISTEN, type Message } from '../messages.js'
import { type Method, text } from '../methods.js'
import { honour } from './listen.js'
import { createOutbox } from './outbox.js'
import { admitSubscriber, tooManySubscriptions, versionOf } from './subscribable.js'
import { createWatches, type Watch } from './watch.js'

/** What the client of one stdio connection has subscribed to; it ends with the connection. */
export interface LocalSubscriptions {
  /** Of 2025-era clients. */
  methods: Map<string, Method>
  /** By which notifications go out: the server that serves the connection. */
  through: (server: Server) => void
  /** The part of a 2026-07-28 client's listen request that can be honoured; undefined if it was refused. */
  listen: (message: Message, caller: Caller) => Promise<unknown>
  /** The end of a listen request. */
  cancel: (id: unknown) => void
  close: () => void
}

/** Holds the subscriptions of a 2025-era client; of a later one, each listen request holds its own. */
const DIRECT = Symbol('resources/subscribe')

export function createLocalSubscriptions(
  app: FastifyInstance,
  stdout: Writable,
  answer: (message: JSONRPCMessage) => void
): LocalSubscriptions {
  const watches = createWatches(app)
  const held = new Map<unknown, Set<string>>()
  let server: Server | undefined
  let watch: Watch | undefined

  const outbox = createOutbox(
    uri => {
      void server?.notification({ method: 'notifications/resources/updated', params: { uri } }).catch(() => {})
    },
    async () => {
      if (stdout.writableNeedDrain) await once(stdout, 'drain')
    }
  )

  function add(holder: unknown, viewer: Agent, versions: ReadonlyMap<string, ResourceVersion>): void {
    watch ??= watches(viewer, { updated: outbox.updated, ended() {} })
    const uris = held.get(holder) ?? new Set()
    held.set(holder, uris)
    for (const [uri, version] of versions) {
      uris.add(uri)
      watch.add(uri, version)
    }
  }

  function remove(holder: unknown, uri: string): void {
    if (held.get(holder)?.delete(uri) !== true) return
    if (![...held.values()].some(uris => uris.has(uri))) watch?.remove(uri)
  }

  return {
    methods: new Map<string, Method>([
      [
        'resources/subscribe',
        async (params, caller) => {
          const uri = text(params, 'uri', caller)
          const viewer = await admitSubscriber('resources/subscribe', caller, app)
          const version = await versionOf(uri, viewer, app)
          if (version === undefined) return {}
          const uris = held.get(DIRECT)
          if (uris !== undefined && uris.size >= SUBSCRIPTIONS_MAX && !uris.has(uri)) throw tooManySubscriptions()
          add(DIRECT, viewer, new Map([[uri, version]]))
          return {}
        }
      ],
      [
        'resources/unsubscribe',
        (params, caller) => {
          remove(DIRECT, text(params, 'uri', caller))
          return {}
        }
      ]
    ]),
    through(serving) {
      server = serving
    },
    async listen(message, caller) {
      try {
        const { message: honoured, listener } = await honour(message, caller, app)
        if (listener !== undefined) add(message.id, listener.viewer, listener.versions)
        return honoured
      } catch (thrown) {
        const {
          code,
          message: words,
          data
        } = thrown instanceof RpcFailure ? thrown : refusal(explain(thrown, caller, app.kernel), caller.request_id)
        answer({ jsonrpc: '2.0', id: message.id as string, error: { code, message: words, data } })
        return undefined
      }
    },
    cancel(id) {
      for (const uri of held.get(id) ?? []) remove(id, uri)
      held.delete(id)
    },
    close() {
      outbox.close()
      watch?.close()
    }
  }
}

/**
 * Looks at listen requests on their way to the SDK, which answers them itself and would acknowledge every URI. What
 * comes behind one waits for it.
 */
export function lookAtListening(
  wire: StdioServerTransport,
  subscriptions: LocalSubscriptions,
  callerOf: (message: Message) => Caller
): StdioServerTransport {
  const start = wire.start.bind(wire)
  wire.start = async () => {
    const forward = wire.onmessage as (message: JSONRPCMessage) => void
    let before: Promise<void> | undefined
    const take = async (message: Message) => {
      if (message.method === 'notifications/cancelled') subscriptions.cancel(message.params?.requestId)
      const taken = isListen(message) ? await subscriptions.listen(message, callerOf(message)) : message
      if (taken !== undefined) forward(taken as JSONRPCMessage)
    }
    wire.onmessage = (message: JSONRPCMessage) => {
      if (before === undefined && !isListen(message)) {
        void take(message)
        return
      }
      const mine = (before ?? Promise.resolve())
        .then(() => take(message as Message))
        .finally(() => {
          if (before === mine) before = undefined
        })
      before = mine
    }
    await start()
  }
  return wire
}

function isListen({ method, params }: Message): boolean {
  return (
    method === LISTEN &&
    (params?._meta as Record<string, unknown> | undefined)?.[PROTOCOL_VERSION_META_KEY] !== undefined
  )
}
