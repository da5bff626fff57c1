import type { Agent } from './agent.js'
import type { Caller } from './caller.js'
import type { AppError } from './errors.js'
import type { Topic } from './events.js'
import type { Executor } from './executor.js'
import type { AuditRow, IdempotencyKey } from './receipt.js'
import type { IsStoredAgent } from './names.js'
import type { Redact } from './text-arguments.js'
import type { Tracing } from './tracing.js'

/** What a call needs of other folders. Each plugin provides what is its own (`kernel.provide`). */
export interface Ports {
  // agents/
  /**
   * Finds out who calls.
   * @returns null if the caller sent no credentials
   * @throws AppError with one of the 401 codes
   */
  identify: (caller: Caller) => Promise<Agent | null>
  isStoredAgent: IsStoredAgent
  /** Notes that an agent has called, and in which session. Writes at most once in 30 s, off the request's path. */
  noteSeen: (agent: Agent, session_id?: string) => void

  /** Notes that messages which are addressed to an agent have reached it. Writes within 2 s, off the request's path. */
  noteDelivered: (agent: Agent, message_ids: readonly number[]) => void

  // limits/
  /** Counts a call of an agent. @throws AppError RATE_LIMITED */
  countCall: (agent: Agent, onRateLimit: Caller['onRateLimit']) => void | Promise<void>
  /** Delays the answer to a wrong credential. @returns the refusal itself, or RATE_LIMITED in its place */
  throttleFailedAuth: (error: AppError, caller: Caller) => Promise<AppError>

  // telemetry/
  /** Undefined: nobody wants spans. */
  tracing: Tracing | undefined

  // redaction/
  /** Undefined: nobody wants to look for secrets. */
  redact: Redact | undefined

  // postgres/
  /** What SQL runs on outside a transaction; with undefined, nobody is known and no row is visible. */
  executorFor: (workspace: string | undefined) => Executor
  /** Runs a transaction; runs it again if PostgreSQL took it back because of other writers. */
  transaction: <T>(workspace: string | undefined, work: (tx: Executor) => Promise<T>) => Promise<T>
  /** Moves a transaction to another workspace, from here on. */
  enterWorkspace: (tx: Executor, workspace: string) => Promise<void>
  /**
   * Claims an idempotency key in a transaction. Waits if another transaction holds the key.
   * @returns the first answer, if the same request has been answered in the last 24 h
   * @throws AppError IDEMPOTENCY_CONFLICT if the key came with another request
   */
  claimIdempotencyKey: (tx: Executor, key: IdempotencyKey) => Promise<Record<string, unknown> | undefined>
  storeFirstAnswer: (tx: Executor, key: IdempotencyKey, answer: Record<string, unknown>) => Promise<void>
  /** What a fault of the database means to a caller; undefined for a fault of the program. */
  explainFault: (error: unknown) => AppError | undefined
  /** An error made fit for a log: no values, no statement texts. */
  loggableFault: (error: unknown) => Record<string, unknown>
  /** Logs a fault of the database in a call. One that goes on for all calls is logged once, and then counted. */
  logFault: (error: unknown, words: string, fields: Record<string, unknown>) => void

  // audit/
  writeAuditRow: (tx: Executor, row: AuditRow) => Promise<void>
  /** The audit row of a refusal: throttled, off the request's path, only logged while the database is away. */
  auditRefusal: (row: AuditRow, address: string) => void

  // feed/
  /** Tells all replicas what has changed, after the commit. Never throws. */
  publish: (topics: readonly Topic[]) => void
}
