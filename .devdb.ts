// keeps a prepared database of the new side alive; prints url
import { createCorpus } from './bench/search/corpus.js'
import { load, sessionId } from './bench/search/load.js'
import { prepareSearch } from './bench/search/prepare.js'
import { startServer } from './bench/search/server.js'
import { layout, rows } from './bench/search/speed/layout.js'
import { writeFileSync } from 'node:fs'
const total = Number(process.argv[2])
const server = await startServer({ useDatabaseUrl: false, settings: { shared_buffers: '1GB', max_wal_size: '8GB' } })
const corpus = createCorpus('1', 'held-out')
const plan = { named: [1,2,3].slice(0, total > 200000 ? 3 : 2).map((n,i) => ({ name: `named-${n}`, id: sessionId(n+1), size: [10000,100000,300000][i] })), fillers: [] as any[], total: 0 }
function* all() {
  const sizes = plan.named.map(s => s.size); const max = Math.max(...sizes)
  const done = plan.named.map(() => 0)
  for (let p = 1; p <= max; p++) for (const [i, s] of plan.named.entries()) while (done[i]! < Math.floor(p / max * s.size)) { done[i]!++; yield { ...corpus.message(s.name, done[i]!), session_id: s.id } }
}
const l = server.connect(2)
await load(l.pool, all())
await l.close()
const owner = server.asOwner()
await prepareSearch(owner.db, server.url)
await owner.close()
writeFileSync('/tmp/devdb.url', server.url)
console.log('ready', server.url)
setInterval(() => {}, 1e6)
