import { sql } from 'kysely'
import { forgetAnswers } from '../../messages/store/message-removal.js'
import type { Db } from '../../postgres/schema.js'

/**
 * Deletes a session whose row the caller has locked. Without its row it is nowhere any more, at once; what it held is
 * swept in small batches (life/deleted-sessions.ts), so that the end of a session of a million messages locks nothing
 * for long. The deletion is the last number of its order, for those who follow all sessions.
 */
export async function removeSession(tx: Db, workspace: string, session_id: string, changed_by: string): Promise<void> {
  await sql`
    with gone as (
      delete from sessions where workspace = ${workspace} and id = ${session_id} returning last_seq
    ), to_sweep as (
      insert into deleted_sessions (workspace, session_id) select ${workspace}, ${session_id} from gone
    )
    insert into session_changes (workspace, session_id, seq, kind, changed_by)
    select ${workspace}, ${session_id}, last_seq + 1, 'session_deleted', ${changed_by} from gone`.execute(tx)
  await forgetAnswers(tx, workspace, session_id)
}
