import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { type JSONRPCRequest, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js'
import type { Caller } from '../../kernel/caller.js'
import type { About } from '../../kernel/about.js'
import { type Answer, Exchanges } from './exchanges.js'
import { INVALID_PARAMS } from '../failure.js'
import { capabilities, instructions, type Methods } from '../methods.js'
import { noValidator } from '../validator.js'

/** 2025-era clients: 2024-11-05 to 2025-11-25, opened by `initialize`. */
export interface Legacy {
  versions: readonly string[]
  answer: (request: JSONRPCRequest, caller: Caller) => Promise<Answer>
}

/**
 * One SDK server for the life of the app. It keeps nothing of a client that any answer depends on: what a connection
 * has is in its row in the database.
 */
export async function serveLegacy(methods: Methods, { name, version }: About): Promise<Legacy> {
  const server = new Server({ name, version }, { capabilities, instructions, jsonSchemaValidator: noValidator })
  const exchanges = new Exchanges()
  server.fallbackRequestHandler = ({ method, params }, { requestId }) =>
    methods.answer(method, params, exchanges.callerOf(requestId))
  await server.connect(exchanges)
  return {
    versions: SUPPORTED_PROTOCOL_VERSIONS,
    async answer(request, caller) {
      const answer = await exchanges.answer(request, caller)
      // The SDK's words for this are a dump of its schema's faults.
      if (request.method !== 'initialize' || answer.error === undefined) return answer
      return {
        ...answer,
        error: {
          code: INVALID_PARAMS,
          message: 'initialize needs protocolVersion, capabilities and clientInfo with name and version.'
        }
      }
    }
  }
}
