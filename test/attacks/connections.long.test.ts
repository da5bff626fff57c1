import { join } from 'node:path'
import t from 'tap'
import { startNginx } from '../support/nginx.js'
import { needs } from '../support/programs.js'
import { tryAttacks } from './bodies/victim.js'

/**
 * Strangers, and an owner of an ordinary key, who use the server up with connections, heads and streams: `npm run
 * attack:connections`.
 */

t.setTimeout(900_000)

interface Attack {
  name: string
  /** What connections-attacker.mjs does on each connection. */
  kind: string
  sockets: number
  path?: string
  proxied?: true
}

const attacks: Attack[] = [
  { name: '-  none, to compare with', kind: 'none', sockets: 0 },
  { name: 'a  1000 requests in one write', kind: 'pipelined', sockets: 70, path: '/health/live' },
  { name: 'a  to a tool', kind: 'pipelined', sockets: 70, path: '/mcp/tool/get_usage_guidance' },
  { name: 'a  to a tool, with a key', kind: 'pipelinedKnown', sockets: 30, path: '/mcp/tool/list_sessions' },
  { name: 'a  to nothing', kind: 'pipelined', sockets: 70, path: '/nothing' },
  { name: 'a  to /mcp', kind: 'pipelined', sockets: 70, path: '/mcp' },
  { name: 'a  and no answer is read', kind: 'pipelinedUnread', sockets: 70, path: '/openapi.json' },
  { name: 'a  behind half a body', kind: 'pipelinedBehind', sockets: 70, path: '/mcp/tool/get_usage_guidance' },
  { name: 'b  heads of 64 KiB', kind: 'largeHead', sockets: 70 },
  { name: 'b  2000 headers', kind: 'manyHeaders', sockets: 70 },
  { name: 'b  heads that dribble', kind: 'slowHead', sockets: 500 },
  { name: 'b  bodies that dribble', kind: 'slowBody', sockets: 500 },
  { name: 'b  bodies that are asked for', kind: 'expect', sockets: 200 },
  { name: 'b  what is not HTTP', kind: 'garbage', sockets: 70 },
  { name: 'b  unknown methods', kind: 'method', sockets: 70 },
  { name: 'c  kept alive, and left', kind: 'idle', sockets: 1000 },
  { name: 'c  opened and closed', kind: 'openClose', sockets: 200 },
  { name: 'd  streams that are left, with a key', kind: 'streamLeft', sockets: 50, path: '/mcp/events' },
  { name: 'd  streams that are not read, with a key', kind: 'streamUnread', sockets: 90, path: '/mcp/events' },
  { name: 'd  streams without a key', kind: 'streamStranger', sockets: 70, path: '/mcp/events' },
  { name: 'd  MCP streams without a key', kind: 'streamStranger', sockets: 70, path: '/mcp' },
  { name: 'e  nginx: 1000 requests in one write', kind: 'pipelined', sockets: 70, path: '/health/live', proxied: true },
  { name: 'e  nginx: to /mcp', kind: 'pipelined', sockets: 70, path: '/mcp', proxied: true },
  { name: 'e  nginx: heads that dribble', kind: 'slowHead', sockets: 500, proxied: true },
  { name: 'e  nginx: streams that are not read', kind: 'streamUnread', sockets: 90, path: '/mcp/events', proxied: true }
]

const LINUX = { skip: process.platform === 'linux' ? false : 'memory is read from /proc' }
const ATTACKER = join(import.meta.dirname, 'bodies', 'connections-attacker.mjs')

t.test('attacks with connections', LINUX, t => {
  const direct = attacks.filter(({ proxied }) => proxied !== true)
  return tryAttacks(t, direct, ATTACKER)
})

t.test('through nginx', needs('nginx'), t => {
  const proxied = attacks.filter(attack => attack.proxied === true)
  return tryAttacks(t, proxied, ATTACKER, async port => (await startNginx(t, [port])).port)
})
