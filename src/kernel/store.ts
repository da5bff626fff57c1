import type { Db } from '../postgres/schema.js'
import type { Unscoped } from '../postgres/scope.js'
import type { Agent } from './agent.js'
import type { AppError } from './errors.js'

/** What the kernel needs of the database around a call; `audit/call-store.ts` is the one implementation. */
export interface Store {
  /** The pool, before it is said for whom. */
  db: Unscoped
  /** What to run SQL on for a workspace, outside a transaction; undefined: nobody is known yet, and nothing is seen. */
  in: (workspace: string | undefined) => Db
  /** Makes a transaction that workspace's from here on. */
  enter: (tx: Db, workspace: string) => Promise<void>
  transaction: <T>(workspace: string | undefined, work: (tx: Db) => Promise<T>) => Promise<T>
  /** The audit row of a write, in the write's own transaction. */
  audit: (db: Db, row: AuditRow) => Promise<void>
  /** The audit row of a refusal: throttled, off the request's path, only logged while the database is down. */
  auditRefusal: (row: AuditRow, address: string) => void
  /**
   * Claims an idempotency key in the caller's transaction, waiting for another holder to commit or roll back.
   * @returns the first answer, if the same request has been answered in the last 24 h
   * @throws AppError IDEMPOTENCY_CONFLICT where the key came with another request
   */
  claim: (tx: Db, key: IdempotencyKey) => Promise<Record<string, unknown> | undefined>
  settle: (tx: Db, key: IdempotencyKey, answer: Record<string, unknown>) => Promise<void>
  /**
   * Notes that an agent has called, and in which session if any; written at most once in 30 s, off the request's path.
   */
  seen: (agent: Agent, session_id?: string) => void
  /** What a fault of the database or its driver means to a caller; undefined where it is a fault of ours. */
  explain: (error: unknown) => AppError | undefined
  /** An error made fit for a log: no values, no statement texts. */
  loggable: (error: unknown) => Record<string, unknown>
}

export interface AuditRow {
  workspace: string
  event_type: string
  agent_id: string | null
  session_id: string | null
  /** The tool's name. */
  action: string
  resource: string | null
  result: 'success' | 'refused'
  request_id: string
  metadata: Record<string, unknown>
}

export interface IdempotencyKey {
  workspace: string
  agent_id: string
  key: string
  /** SHA-256 over tool and arguments. */
  request_hash: Buffer
}
