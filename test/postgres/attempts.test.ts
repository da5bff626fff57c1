import t from 'tap'
import { parseDatabaseUrl } from '../../src/config/database-url.js'
import { NO_TLS } from '../../src/postgres/faults.js'
import { AttemptFailed, Attempts, Route } from '../../src/postgres/route.js'

/** Which fault an operator is told where each variant of an address fails for a reason of its own. */

t.test('that a server has no TLS is not the reason where there is another one', async t => {
  for (const tls_first of [true, false]) {
    const route = new Route(parseDatabaseUrl('postgres://u@db.example/x?sslmode=prefer'), {}, 1000)
    const attempts = new Attempts(route)
    for (const candidate of [...route.candidates].sort(
      (a, b) => Number(b.tls === tls_first) - Number(a.tls === tls_first)
    ))
      attempts.failed(
        new AttemptFailed(candidate, new Error(candidate.tls ? NO_TLS : 'permission denied for schema extensions'))
      )
    t.match(attempts.error().reason, /permission denied/, tls_first ? 'with TLS first' : 'with TLS last')
  }
})
