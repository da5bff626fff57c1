import { sql } from 'kysely'
import { versionOf } from './entries.js'

/** SQL expression: a time as clients see it, as JSON text. A value that does not end has a null there. */
const time = (column: 'created_at' | 'updated_at' | 'expires_at') =>
  sql`coalesce('"' || to_char(agent_memory.${sql.raw(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    || '"', 'null')`

/**
 * SQL expression: a value of `agent_memory` and what is known of it, as members of a JSON object. PostgreSQL prints
 * what it reads, and nobody parses it and prints it again. (Put together by hand, as message-json.ts. The value is
 * last: each `||` after it would copy it.)
 */
export const valueJson = sql<string>`'"key":' || to_json(agent_memory.key) || ',"found":true,"metadata":'
  || agent_memory.metadata::text || ',"version":' || ${versionOf}
  || ',"created_at":' || ${time('created_at')} || ',"updated_at":' || ${time('updated_at')}
  || ',"updated_by":' || to_json(coalesce(agent_memory.updated_by, agent_memory.agent_id))
  || ',"expires_at":' || ${time('expires_at')} || ',"value":' || agent_memory.value::text`
