import { readFileSync } from 'node:fs'
import pg from 'pg'
import { connect } from './src/postgres/connect.js'
import { inWorkspace } from './src/postgres/scope.js'
import { search } from './src/search/search.js'
import { createCorpus } from './bench/search/corpus.js'
import { questions } from './bench/search/speed/questions.js'
import { sessionId } from './bench/search/load.js'
import { VIEWER } from './bench/search/viewer.js'
const url = readFileSync('/tmp/devdb.url','utf8')
const size = Number(process.argv[2] ?? 10000), secs = Number(process.argv[3] ?? 8), only = process.argv[4]
const database = connect({ url, max: 2, connect_timeout_ms: 10000, statement_timeout_ms: 0, application_name: 'prof', onIdleError: () => {} })
const db = inWorkspace(database.db, 'default')
const n = size === 10000 ? 1 : 2
const session = { name: `named-${n}`, id: sessionId(n+1), size }
const corpus = createCorpus('1', 'held-out')
let asked = questions(corpus, session)
if (only === 'sentence') { const { phrases } = await import('./bench/search/against/comparisons.js') as any; asked = phrases(corpus, session, 5, 3).map((text: string) => ({ kind: 'sentence', text })) }
else if (only === 'two') { const { phrases } = await import('./bench/search/against/comparisons.js') as any; asked = phrases(corpus, session, 2, 0).map((text: string) => ({ kind: 'two', text })) }
else if (only) asked = asked.filter(a => a.kind.includes(only))
const ask = (text: string) => search(db, VIEWER, text, { session_id: session.id, scope: 'all', search_metadata: true }, 60, 10)
for (const a of asked) await ask(a.text)
const c = new pg.Client({ connectionString: url }); await c.connect()
let stmts = 0
const pid = Number(process.env.PGPID); const { cpuOfPostgres } = await import('./bench/kit/cpu.js')
const pgcpu = () => cpuOfPostgres(pid) ?? 0
const cpu0 = process.cpuUsage(); const pg0 = pgcpu()
const { Session } = await import('node:inspector/promises'); const ins = new Session(); ins.connect()
if (process.env.PROF) { await ins.post('Profiler.enable'); await ins.post('Profiler.start') }
const t0 = performance.now(); let k = 0
const by = new Map<string, number[]>()
while (performance.now() - t0 < secs * 1000) { const a = asked[k++ % asked.length]!; const s = performance.now(); const c0 = process.cpuUsage(); await ask(a.text); const c1 = process.cpuUsage(c0); const l = by.get(a.kind) ?? []; l.push(performance.now() - s); by.set(a.kind, l) }
if (process.env.PROF) { const { profile } = await ins.post('Profiler.stop') as any; (await import('node:fs')).writeFileSync('/tmp/dev/prof/x.cpuprofile', JSON.stringify(profile)) }
const cpu = process.cpuUsage(cpu0); const pg1 = pgcpu()
const all = [...by.values()].flat().sort((a,b)=>a-b)
console.log(`${k} searches, ${(all[all.length>>1]!).toFixed(1)} p50, ${(all[Math.floor(all.length*.95)]!).toFixed(1)} p95, pg cpu ${((pg1-pg0)/k).toFixed(2)} ms, node cpu ${((cpu.user+cpu.system)/1000/k).toFixed(2)} ms`)
if (process.argv[5] || !only) for (const [kind, l] of [...by].map(([k,l]) => [k, l.sort((a,b)=>a-b)[l.length>>1]!] as const).sort((a,b)=>b[1]-a[1]).slice(0,45)) process.stdout.write(`${kind} ${l.toFixed(1)}; `)
console.log()
await c.end(); await database.close()
