import { sql } from 'kysely'
import { forgetAnswers } from '../../messages/store/message-removal.js'
import type { Db } from '../../postgres/schema.js'

/**
 * Deletes a session whose row the caller has locked. Without its row the session is gone for every reader at once. Its
 * data is deleted later in small batches (deleted-sessions.ts), so that deleting a million messages holds no lock for
 * long. The deletion takes the session's last seq, for readers that follow all sessions.
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
