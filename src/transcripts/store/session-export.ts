import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { messageColumns, messageOf, type MessageRow, type StoredMessage } from '../../messages/store/messages.js'
import type { Db } from '../../postgres/schema.js'
import { readableMessages } from '../../visibility/visibility.js'

/** Bytes of content and metadata in one page. The message that exceeds the limit still belongs to the page. */
const BYTES_MAX = 1024 * 1024

/**
 * Reads the messages that the viewer may see, with seq beyond `after` up to `until`: at most `limit` messages and about
 * one mebibyte.
 */
export async function exportPage(
  db: Db,
  viewer: Agent,
  session_id: string,
  after: number,
  until: number,
  limit: number
): Promise<{ messages: MessageRow[]; has_more: boolean }> {
  const page = readableMessages(db, viewer)
    .where('m.session_id', '=', session_id)
    .where('m.seq', '>', after)
    .where('m.seq', '<=', until)
    .select(messageColumns)
    .orderBy('m.seq')
    .limit(limit + 1)
  const { rows } = await sql<StoredMessage & { found: number }>`
    select ${sql.join(messageColumns.map(column => sql.ref(column)))}, found from (
      select sized.*, sum(bytes) over (order by seq) - bytes as before, count(*) over () as found,
        row_number() over (order by seq) as n
      from (select m.*, octet_length(content) + octet_length(metadata::text)
        + coalesce(octet_length(payload::text), 0) as bytes from (${page}) m) sized
    ) m
    where before < ${BYTES_MAX} and n <= ${limit} order by seq`.execute(db)
  return {
    messages: rows.map(({ found, ...message }) => messageOf(message)),
    has_more: rows.length < (rows[0]?.found ?? 0)
  }
}
