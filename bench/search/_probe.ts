import { readFileSync } from 'node:fs'
import { connect } from '../../src/postgres/connect.js'
import { inWorkspace } from '../../src/postgres/scope.js'
import { search } from '../../src/search/search.js'
import { createCorpus } from './corpus.js'
import { sessionId } from './load.js'
import { questions } from './speed/questions.js'
import { VIEWER } from './viewer.js'
const url = readFileSync('/tmp/sproto/url', 'utf8')
const sizes = [1000, 10000, 100000]
const which = Number(process.argv[2] ?? 1)
const max = Number(process.argv[3] ?? 400)
const only = process.argv[4]
const d = connect({ url, max: 1, connect_timeout_ms: 10000, statement_timeout_ms: 0, application_name: 'probe', onIdleError: () => {} })
const db = inWorkspace(d.db, 'default')
const qs = questions(createCorpus('1', 'dev'), { name: `keep-${which}`, id: '', size: sizes[which] as number }).filter(q => only === undefined || q.kind.includes(only))
const { rows: [{ pid }] } = await d.pool.query('select pg_backend_pid() as pid') as any
const cpu = () => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' '); return (Number(f[11]) + Number(f[12])) * 10 }
const ask = (q: string) => search(db, VIEWER, q, { session_id: which === 3 ? undefined : sessionId(which + 1), scope: 'all', search_metadata: true }, 60, 10)
for (const q of qs.slice(0, 40)) await ask(q.text)
const kinds = new Map<string, { n: number; pg: number; node: number; wall: number[] }>()
const all = { n: 0, pg: 0, node: 0 }
const kindsList = [...new Set(qs.map(q => q.kind))]
for (const kind of kindsList) {
  const of = qs.filter(q => q.kind === kind)
  const rounds = Math.max(1, Math.ceil(30 / of.length))
  const p0 = cpu(), n0 = process.cpuUsage(), wall: number[] = []
  let n = 0, partial = 0
  for (let r = 0; r < rounds; r++) for (const q of of) { const t = performance.now(); const a = await ask(q.text); wall.push(performance.now() - t); n++; partial += Number(a.partial) }
  const u = process.cpuUsage(n0)
  const k = { n, pg: cpu() - p0, node: (u.user + u.system) / 1000, wall }
  wall.sort((a, b) => a - b)
  console.log(kind.padEnd(34), 'pg', (k.pg / n).toFixed(1).padStart(6), 'node', (k.node / n).toFixed(1).padStart(5), 'wall min', wall[0]!.toFixed(1), 'p50', wall[wall.length >> 1]!.toFixed(1), partial ? `partial ${partial}/${n}` : '')
  all.n++; all.pg += k.pg / n; all.node += k.node / n
}
console.log('mean per kind', 'pg', (all.pg / all.n).toFixed(2), 'node', (all.node / all.n).toFixed(2))
await d.close()
