import { readFileSync } from 'node:fs'
import { connect } from '../../src/postgres/connect.js'
import { inWorkspace } from '../../src/postgres/scope.js'
import { search } from '../../src/search/search.js'
import { sessionId } from './load.js'
import { VIEWER } from './viewer.js'
const d = connect({ url: readFileSync('/tmp/sproto/url', 'utf8'), max: 1, connect_timeout_ms: 10000, statement_timeout_ms: 0, application_name: 'probe', onIdleError: () => {} })
const db = inWorkspace(d.db, 'default')
for (const q of process.argv.slice(2)) for (const t of [60, 0]) { const a = await search(db, VIEWER, q, { session_id: sessionId(1), scope: 'all', search_metadata: true }, t, 10); console.log(q, t, a.partial, a.results.map(r => [r.message.seq, r.score, r.terms[0]].join(':')).join(' ')) }
await d.close()
