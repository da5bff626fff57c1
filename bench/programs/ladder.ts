/**
 * The service and, in the same process on a port of their own, routes that do ever more of what add_message does:
 * nothing; the token; the body by a schema; one prepared insert.
 */
import fastify from 'fastify'
import pg from 'pg'
import { serve } from '../../src/commands/serve.js'
import { registerTokens } from './token.js'

const app = fastify()
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL as string, max: 8 })
await registerTokens(app)
const body = {
  type: 'object',
  additionalProperties: false,
  required: ['session_id', 'content'],
  properties: {
    session_id: { type: 'string', pattern: '^session_[0-9a-f]{16}$' },
    content: { type: 'string', minLength: 1, maxLength: 100_000 },
    visibility: { type: 'string', enum: ['public', 'private', 'agent_only', 'admin_only'] },
    metadata: { type: 'object', maxProperties: 50 },
    parent_message_id: { type: 'integer', minimum: 1 },
    idempotency_key: { type: 'string', minLength: 1, maxLength: 255 }
  }
}
interface Message {
  session_id: string
  content: string
  metadata?: unknown
}
// No two with the same seq, over all runs of this program.
let seq = Date.now() * 1000

app.get('/hello', async () => ({ success: true }))
app.get('/token', async request => {
  const { sub } = await request.jwtVerify<{ sub: string }>()
  return { success: true, agent_id: sub }
})
app.post('/schema', { schema: { body } }, async request => {
  const { sub } = await request.jwtVerify<{ sub: string }>()
  return { success: true, agent_id: sub, session_id: (request.body as Message).session_id }
})
app.post('/insert', { schema: { body } }, async request => {
  const { sub } = await request.jwtVerify<{ sub: string }>()
  const { session_id, content, metadata = {} } = request.body as Message
  const {
    rows: [row]
  } = await pool.query<{ id: string; timestamp: Date }>({
    name: 'insert',
    text: `insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata, parent_message_id)
           values ('default', $1, $2, $3, 'bench', $4, 'public', $5, null) returning id, timestamp`,
    values: [session_id, ++seq, sub, content, JSON.stringify(metadata)]
  })
  return { success: true, message_id: Number(row?.id), seq, timestamp: row?.timestamp, session_id }
})
await app.listen({ host: '127.0.0.1', port: Number(process.env.LADDER_PORT) })
process.once('SIGTERM', () => {
  void app.close().then(() => pool.end())
})
await serve()
