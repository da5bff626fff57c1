import type { PrefixStatement } from './pg-internals.js'
import type { Plan, PlannedStatement } from './planned-query.js'
import { isSetWithin, type ScopePrefixes } from './scope-prefix.js'

/** The prefix of a statement, on a connection with these prefixes. */
type PrefixFor = (prefixes: ScopePrefixes) => readonly PrefixStatement[]

/**
 * What a transaction sends before its next statement, in one round trip with it: how it begins, what was to go with the
 * next statement, and how the statement is planned.
 */
export class TransactionState {
  private begun = false
  private queued: readonly PlannedStatement[] = []
  /** Whether the last statement had a plan of its own. */
  private planned = false

  /** @param plan of all of its statements that have none of their own */
  constructor(
    private readonly begin: string,
    private readonly plan: Plan
  ) {}

  get hasBegun(): boolean {
    return this.begun
  }

  /** Whether PostgreSQL knows nothing of it, and need not. */
  get isEmpty(): boolean {
    return !this.begun && this.queued.length === 0
  }

  /** @param statement goes with the next one. Its values are texts or null. */
  queue(statement: PlannedStatement): void {
    this.queued = [...this.queued, statement]
  }

  /** Drops what has not been sent. */
  drop(): void {
    this.queued = []
  }

  /** Goes on to this statement. @returns what is sent before it */
  next({ plan, text }: PlannedStatement): PrefixFor {
    const { begun, queued, planned } = this
    const ends = text === 'commit' || text === 'rollback'
    const own = !begun && plan === this.plan ? undefined : plan
    this.begun = true
    this.queued = []
    this.planned = isSetWithin(own)
    return prefixes => [
      ...(begun ? [] : [{ text: this.begin }, ...prefixes.of(this.plan)]),
      ...queued.map(each => prefixOf(each, prefixes)),
      ...(planned && !ends ? [prefixes.decides] : []),
      ...(prefixes.within(own) ?? [])
    ]
  }
}

function prefixOf({ name, text, values = [] }: PlannedStatement, { named }: ScopePrefixes): PrefixStatement {
  const texts = values.map(value => {
    if (typeof value === 'string' || value === null) return value
    throw new Error('A statement that is sent with the next one has texts as its values.')
  })
  return { name: named ? name : undefined, text, values: texts, preparesNothing: true }
}
