/**
 * The least that could serve get_messages: a Fastify route, the service's own JWT check by @fastify/jwt (with its
 * cache), and one prepared read of the newest messages, which PostgreSQL prints as JSON and the route sends as it is.
 * No visibility, counts, closed schema, permission, revocation, metrics, log, time limit.
 */
import fastify from 'fastify'
import pg from 'pg'
import { registerTokens } from './token.js'

const app = fastify()
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL as string, max: 8 })
await registerTokens(app)
app.post('/messages', async (request, reply) => {
  await request.jwtVerify()
  const { session_id, limit } = request.body as { session_id: string; limit: number }
  const { rows } = await pool.query<{ json: string }>({
    name: 'messages',
    text: `select json_agg(json_build_object('id', id, 'session_id', session_id, 'seq', seq, 'sender', sender,
        'sender_type', sender_type, 'content', content, 'visibility', visibility, 'metadata', metadata,
        'parent_message_id', parent_message_id, 'timestamp', timestamp) order by seq)::text as json
      from (select * from messages where workspace = $1 and session_id = $2 and visibility = 'public'
        order by seq desc limit $3) newest`,
    values: ['default', session_id, limit]
  })
  return reply.type('application/json').send(`{"success":true,"count":${limit},"messages":${rows[0]?.json ?? '[]'}}`)
})
app.get('/metrics', async () => '')
const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.stderr.write(`ready at ${address}\n`)
process.once('SIGTERM', () => {
  void app.close().then(() => pool.end())
})
