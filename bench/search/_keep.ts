import { writeFileSync } from 'node:fs'
import { createCorpus } from './corpus.js'
import { load, sessionId } from './load.js'
import { prepareSearch } from './prepare.js'
import { startServer } from './server.js'
const sizes = (process.argv[2] ?? '1000,10000,100000').split(',').map(Number)
const server = await startServer({ useDatabaseUrl: false, settings: { fsync: 'off', shared_buffers: '1GB', max_wal_size: '4GB' } })
const corpus = createCorpus('1', 'dev')
function* rows() { for (const [i, size] of sizes.entries()) for (const m of corpus.messages('keep-' + i, size)) yield { ...m, session_id: sessionId(i + 1) } }
const { pool, close } = server.connect(4)
let t = performance.now()
await load(pool, rows())
console.log('loaded', performance.now() - t); t = performance.now()
const owner = server.asOwner()
await prepareSearch(owner.db)
console.log('prepared', performance.now() - t)
await owner.close(); await close()
writeFileSync('/tmp/sproto/url', server.url)
console.log(server.url)
setInterval(() => {}, 100000)
