import { sql } from 'kysely'

/**
 * SQL expression: the message `m` as clients see it, as JSON text. PostgreSQL prints what it reads, and nobody parses
 * it and prints it again. (Put together by hand: with row_to_json it takes PostgreSQL twice as long. A session_id and a
 * visibility have no character that JSON escapes.)
 */
export const messageJson = sql<string>`'{"id":' || m.id || ',"session_id":"' || m.session_id || '","seq":' || m.seq
  || ',"sender":' || to_json(m.sender) || ',"sender_type":' || to_json(m.sender_type)
  || ',"content":' || to_json(m.content) || ',"visibility":"' || m.visibility || '","metadata":' || m.metadata::text
  || ',"parent_message_id":' || coalesce(m.parent_message_id::text, 'null')
  || ',"timestamp":"' || to_char(m.timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"'
  || case when m.addressees = '{}' then '' else ',"to":' || to_json(m.addressees) end
  || coalesce(',"payload":' || m.payload::text, '') || '}'`
