import { type RawBuilder, sql } from 'kysely'

/** Conditions on top-level fields of values that are objects. */

export const COMPARISONS = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'] as const
export type Comparison = (typeof COMPARISONS)[number]

export interface Condition {
  field: string
  is: Comparison
  than: unknown
}

const ORDERED: Partial<Record<Comparison, RawBuilder<unknown>>> = {
  $gt: sql`>`,
  $gte: sql`>=`,
  $lt: sql`<`,
  $lte: sql`<=`
}

/**
 * Whether a value meets a condition. Numbers are compared with numbers, and texts with texts, character by character;
 * nothing else is larger or smaller. A field that is not there differs from everything.
 */
export function meets({ field, is, than }: Condition): RawBuilder<boolean> {
  const found = sql`(agent_memory.value -> ${field}::text)`
  const operator = ORDERED[is]
  const given = JSON.stringify(than)
  if (operator === undefined) {
    const equal = sql<boolean>`coalesce(${found} = ${given}::jsonb, false)`
    return sql<boolean>`(jsonb_typeof(agent_memory.value) = 'object'
      and ${is === '$eq' ? equal : sql<boolean>`not ${equal}`})`
  }
  const kind = typeof than === 'number' ? 'number' : 'string'
  const text = sql`(${found} #>> '{}')`
  const compared =
    kind === 'number'
      ? sql<boolean>`${text}::numeric ${operator} ${String(than)}::numeric`
      : sql<boolean>`${text} collate "C" ${operator} ${String(than)}`
  return sql<boolean>`(jsonb_typeof(agent_memory.value) = 'object'
    and case when jsonb_typeof(${found}) = ${kind} then ${compared} else false end)`
}
