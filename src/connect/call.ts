import { SharedContext, UnreachableError } from '../../clients/typescript/src/index.js'

/** A server, and who calls it. */
export interface Caller {
  /** The server's address, such as `http://127.0.0.1:23456`. */
  url: string
  api_key: string
  /** Left out: the one that the key is for. */
  agent_id?: string
  agent_type?: string
}

/** Milliseconds for one answer, when somebody waits to be told what is wrong. */
export const LIMIT_MS = 5000

/** Calls once, with the key itself: a token would leave traces for one question. */
export function clientOf({ url, api_key, agent_id, agent_type }: Caller): SharedContext {
  return new SharedContext({
    ...{ url, apiKey: api_key, agentId: agent_id, agentType: agent_type },
    ...{ exchangeKey: false, timeoutMs: LIMIT_MS, tries: 1 }
  })
}

/** Whether nobody answered, as against a server that refuses. */
export function isAway(error: unknown): boolean {
  return error instanceof UnreachableError
}
