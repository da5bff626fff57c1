import type { PlannedStatement } from './planned-query.js'
import type { RunStatement } from './scoped-connection.js'

/** Runs a statement in a span of that name. */
export type TraceStatement = <T>(name: string, work: () => Promise<T>) => Promise<T>

export function traced(run: RunStatement, trace: TraceStatement): RunStatement {
  return (client, prefix, statement) => trace(spanName(statement), () => run(client, prefix, statement))
}

/** Names that statements get from their text alone (statement-names.ts). */
const UNNAMED = 'scs'

/** The name that a statement was defined under; of others what they do, such as `select`. Never a value. */
function spanName({ name = UNNAMED, text }: PlannedStatement): string {
  const [label = UNNAMED] = name.split('.')
  return label === UNNAMED ? (/[a-z]+/i.exec(text)?.[0]?.toLowerCase() ?? 'statement') : label
}
