import { type Kysely, sql } from 'kysely'

/** Who opened an MCP session with credentials, so that nobody else ends it (src/agents/store/mcp-sessions.ts). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table mcp_sessions add column opener bytea`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table mcp_sessions drop column opener`.execute(db)
}
