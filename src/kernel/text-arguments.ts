import type { TObject, TSchema } from '@sinclair/typebox'
import { HoldsText, type SchemaExtensions } from './schema.js'

/** An argument that holds what an agent writes; with `items`, one whose items have such arguments. */
export interface TextArgument {
  name: string
  items?: readonly TextArgument[]
}

/** The arguments of a schema that hold what an agent writes. */
export function textArguments({ properties }: TObject): TextArgument[] {
  return Object.entries(properties).flatMap(([name, schema]): TextArgument[] => {
    const { [HoldsText]: holds, items } = schema as TSchema & SchemaExtensions & { items?: TSchema }
    if (holds === true) return [{ name }]
    const inner = items?.type === 'object' ? textArguments(items as TObject) : []
    return inner.length > 0 ? [{ name, items: inner }] : []
  })
}

/** What was found in the arguments of a call, and what they are to be. */
export interface Redacted {
  input: Record<string, unknown>
  /** For whoever called. */
  warnings: string[]
  /** For the audit row: how often each kind, and what was done. Never what was found. */
  audit: { redaction: 'report' | 'mask'; secrets: Record<string, number> }
}

/** Looks for secrets in the arguments that hold text. @returns undefined if there are none */
export type Redact = (input: Record<string, unknown>, texts: readonly TextArgument[]) => Redacted | undefined
