import type { JsonText } from './json-text.js'
import type { Static, TObject, TSchema } from '@sinclair/typebox'
import type { Agent, Permission } from './agent.js'
import type { Caller } from './caller.js'
import type { Topic } from './events.js'
import type { Executor } from './executor.js'
import type { Receipt } from './receipt.js'

export interface ToolContext<P extends Permission | 'none' = Permission> {
  /** Who calls; null only for tools that need no permission. */
  agent: P extends 'none' ? Agent | null : Agent
  /** What SQL runs on, in the caller's workspace: a transaction if `commits` is 'transaction', else the pool. */
  db: Executor
  /**
   * Moves the call's transaction, and its audit row, to another workspace from here on: for tools that learn the
   * workspace from a key or a token.
   */
  enterWorkspace: (workspace: string) => Promise<void>
  caller: Caller
  /** What to commit together with the rows of a batch. Only for tools that commit in a batch. */
  readonly receipt: Receipt
  /** What the audit row's metadata says beyond what input and answer tell. Ids only. */
  auditMetadata: Record<string, unknown>
  /** Names what others are told of beside `affectedTopics`, which knows only input and answer. The last call counts. */
  alsoAffects: (topics: readonly Topic[]) => void
}

export interface AuditFields {
  event_type: string
  agent_id?: string
  session_id?: string
  /** What was acted on, as an id: `message:17`, `memory:<hash of the key>`; never content. */
  resource?: string
  metadata?: Record<string, unknown>
}

/**
 * How a tool commits. `none`: it writes nothing. `transaction`: the kernel opens a transaction and commits the audit
 * row and the idempotency key in it. `batch`: a writer commits the rows of several calls together, each with its
 * receipt.
 */
type Commit<I extends TObject, O extends TObject> =
  | { commits: 'none' }
  | { commits: 'transaction'; audit(input: Static<I>, output: Static<O>): AuditFields }
  | { commits: 'batch'; audit(input: Static<I>): AuditFields }

/** An answer of which fields, or items of lists, are printed as JSON already. */
export type OrJson<T> = {
  [K in keyof T]: T[K] | JsonText | (T[K] extends ReadonlyArray<infer Item> ? Array<Item | JsonText> : never)
}

interface Definition<I extends TObject, O extends TObject, P extends Permission | 'none'> {
  name: string
  /** A heading of a few words. */
  title: string
  /** What it is for first, then what to know: models choose tools by it. */
  description: string
  /** For MCP connections that name their agent: another description, and the argument that makes sense only there. */
  ifNamed?: { description: string; argument: string }
  permission: P
  /**
   * `own`: the kernel ignores headers and tokens; the tool checks the key in its arguments or headers. Only
   * authenticate_agent.
   */
  credentials?: 'own'
  /** What a call does to what is stored. */
  effect: 'reads' | 'adds' | 'replaces'
  /** Whether the same call again changes nothing further. Reading tools always are repeatable. */
  repeatable?: boolean
  /**
   * Whether what a call does cannot be taken back: clients that can ask their user are told to ask first.
   * @param given the arguments as they came
   */
  irreversible?: (given: Record<string, unknown>) => boolean
  /** Whether its answer holds a secret. The kernel never keeps such an answer for repeats. */
  secret?: boolean
  input: I
  /** Every field of the answer but `success`. */
  output: O
  /**
   * What the call has changed and others may wait for. The kernel tells every replica after the commit; it does not for
   * a repeat that changed nothing.
   */
  affectedTopics?(
    input: Static<I>,
    output: Static<O>,
    context: { agent: P extends 'none' ? Agent | null : Agent; caller: Caller }
  ): readonly Topic[]
  /** Whether a call of a tool that may write only reads. Without an idempotency key it commits nothing then. */
  onlyReads?(input: Static<I>): boolean
  /** Milliseconds that the call may spend waiting, beyond what any call may take. */
  waits_ms?(input: Static<I>): number
  handler(input: Static<I>, context: ToolContext<P>): Promise<OrJson<Static<O>>>
}

export type Tool<
  I extends TObject = TObject,
  O extends TObject = TObject,
  P extends Permission | 'none' = Permission | 'none'
> = Definition<I, O, P> & Commit<I, O>

/** Ties a tool's handler to the types of its schemas. */
export function defineTool<I extends TObject, O extends TObject, P extends Permission | 'none'>(
  tool: Tool<I, O, P>
): Tool<I, O, P>
export function defineTool(tool: Tool): Tool {
  return tool
}

/** Whether an idempotency_key makes a call of the tool safe to repeat. */
export function takesIdempotencyKey(tool: Tool): boolean {
  return 'idempotency_key' in (tool.input.properties as Record<string, TSchema>)
}
