import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { mcpTopic } from '../../kernel/events.js'
import * as mcpSessions from '../../agents/store/mcp-sessions.js'
import { type Method, text } from '../methods.js'
import { versionOf, subscriberOf } from './subscribable.js'

/**
 * `resources/subscribe` and `resources/unsubscribe` of 2025-era clients over HTTP: kept in the session's row, and
 * obeyed by its stream, wherever that is.
 */
export function subscriptionMethods(app: FastifyInstance): Map<string, Method> {
  const {
    events,
    database: { db }
  } = app
  return new Map<string, Method>([
    [
      'resources/subscribe',
      async (params, caller) => {
        const uri = text(params, 'uri', caller)
        const id_hash = sessionOf(caller)
        const version = await versionOf(uri, await subscriberOf(caller, app), app)
        if (version === undefined) return {}
        if (!(await mcpSessions.subscribe(db, id_hash, uri, version))) throw tooMany()
        events.publish([mcpTopic(id_hash)])
        return {}
      }
    ],
    [
      'resources/unsubscribe',
      async (params, caller) => {
        const uri = text(params, 'uri', caller)
        const id_hash = sessionOf(caller)
        await mcpSessions.unsubscribe(db, id_hash, uri)
        events.publish([mcpTopic(id_hash)])
        return {}
      }
    ]
  ])
}

function sessionOf({ credentials: { mcp_session } }: Caller): Buffer {
  if (mcp_session !== undefined) return mcp_session.id_hash
  throw new AppError('INVALID_INPUT', 'A subscription belongs to an MCP session, and the request names none.', {
    context: { argument: 'Mcp-Session-Id' },
    suggestions: ['Send initialize first, and the Mcp-Session-Id it answers with every request']
  })
}

export function tooMany(): AppError {
  return new AppError(
    'INVALID_INPUT',
    `One connection may be subscribed to ${mcpSessions.SUBSCRIPTIONS_MAX} resources at a time.`,
    {
      context: { argument: 'uri', allowed: `at most ${mcpSessions.SUBSCRIPTIONS_MAX} subscriptions` },
      suggestions: ['Unsubscribe from a resource you no longer follow', 'Or open another connection']
    }
  )
}
