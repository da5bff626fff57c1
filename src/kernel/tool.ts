import type { Static, TObject, TSchema } from '@sinclair/typebox'
import type { Db } from '../postgres/schema.js'
import type { Agent, Permission } from './agent.js'
import type { Caller } from './caller.js'
import type { Topic } from './events.js'
import type { Service } from './service.js'
import type { IdempotencyKey } from './store.js'

/**
 * Glossary. A **tool** is one capability, said once; REST route, MCP tool, OpenAPI entry, permission check, metric and
 * audit row derive from it. A **front** is a protocol it is reached by. An **agent** is who calls. A **session** is
 * where agents meet (an MCP session is always called that). A **message** is what they leave there, at a **seq**: its
 * place in the session's one order of changes. **Memory** is an agent's own. A **workspace** is a tenant.
 */

export interface ToolContext<P extends Permission | 'none' = Permission> {
  /** Who calls; tools that need no permission may be called by nobody. */
  agent: P extends 'none' ? Agent | null : Agent
  /** What to run SQL on, in the caller's workspace: a transaction where `commits` is 'transaction', else the pool. */
  db: Db
  /**
   * From here on the call's transaction, and its audit row, are that workspace's: for tools that learn from a key or a
   * token whose the call is.
   */
  enter: (workspace: string) => Promise<void>
  caller: Caller
  service: Service
  /** The call's idempotency key, for a tool that commits in a batch. */
  idempotencyKey: IdempotencyKey | undefined
  /** What the audit row's metadata should say beyond what input and answer tell. Ids only. */
  audited: Record<string, unknown>
}

export interface AuditFields {
  event_type: string
  agent_id?: string
  session_id?: string
  /** What was acted on, as an id: `message:17`, `memory:<key's hash>`; never content. */
  resource?: string
  metadata?: Record<string, unknown>
}

export interface Tool<
  I extends TObject = TObject,
  O extends TObject = TObject,
  P extends Permission | 'none' = Permission | 'none'
> {
  name: string
  /** A heading of a few words. */
  title: string
  /** What it is for first, then what to know: models choose tools by it. */
  description: string
  permission: P
  /** authenticate_agent alone is `own`: it looks at its own key and at no other credential. */
  credentials?: 'own'
  /** What a call does to what is stored. */
  effect: 'reads' | 'adds' | 'replaces'
  /** Whether the same call again changes nothing further. Reading tools always are. */
  repeatable?: boolean
  /**
   * How it commits. `none`: it writes nothing. `transaction`: the kernel opens one, with audit row and idempotency key.
   * `batch`: a writer in db/ commits it together with other calls, audit row and idempotency key (`once`) too.
   */
  commits: 'none' | 'transaction' | 'batch'
  /** Whether its answer holds a secret, which is then never kept for repeats. */
  secret?: boolean
  input: I
  /** Every field of the answer but `success`. */
  output: O
  /** What the audit row says; required where something is written. */
  audit?: (input: Static<I>, output: Static<O>) => AuditFields
  /**
   * What others may be waiting for that the call has changed: told after the commit, to every replica, and not for a
   * repeat that changed nothing.
   */
  affectedTopics?: (
    input: Static<I>,
    output: Static<O>,
    context: Pick<ToolContext<P>, 'agent' | 'caller'>
  ) => readonly Topic[]
  /** Milliseconds that the call may spend waiting, beyond what any call may take. */
  waits_ms?: (input: Static<I>) => number
  handler: (input: Static<I>, context: ToolContext<P>) => Promise<Static<O>>
}

/** Ties a tool's handler to the types of its schemas. */
export function defineTool<I extends TObject, O extends TObject, P extends Permission | 'none'>(
  tool: Tool<I, O, P>
): Tool
export function defineTool(tool: Tool): Tool {
  return tool
}

/** Whether a call of the tool with this input may be repeated safely with an idempotency_key. */
export function takesIdempotencyKey(tool: Tool): boolean {
  return 'idempotency_key' in (tool.input.properties as Record<string, TSchema>)
}
