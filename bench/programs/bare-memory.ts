/**
 * The least that could serve get_memory: a Fastify route, the service's own JWT check by @fastify/jwt (with its cache),
 * and one prepared read by primary key. No closed schema, permission, revocation, expiry, metrics, log, time limit.
 */
import fastify from 'fastify'
import pg from 'pg'
import { registerTokens } from './token.js'

const app = fastify()
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL as string, max: 8 })
await registerTokens(app)
app.post('/memory', async (request, reply) => {
  const { sub } = await request.jwtVerify<{ sub: string }>()
  const { key } = request.body as { key: string }
  const { rows } = await pool.query({
    name: 'memory',
    text: 'select key, value, metadata, version, created_at, updated_at, expires_at from agent_memory where workspace = $1 and agent_id = $2 and session_id = $3 and key = $4',
    values: ['default', sub, '', key]
  })
  if (rows.length === 0) return reply.code(404).send({ success: false })
  return { success: true, ...(rows[0] as object), scope: 'global' }
})
app.get('/metrics', async () => '')
const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.stderr.write(`ready at ${address}\n`)
process.once('SIGTERM', () => {
  void app.close().then(() => pool.end())
})
