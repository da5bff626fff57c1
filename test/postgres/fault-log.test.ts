import t from 'tap'
import { createFaultLog } from '../../src/postgres/fault-log.js'
import { ConnectError } from '../../src/postgres/faults.js'
import { until } from '../support/until.js'

function recorded(quiet_ms: number) {
  const lines: Array<{ level: string; words: string; [field: string]: unknown }> = []
  const at = (level: string) => (fields: Record<string, unknown>, words: string) => {
    lines.push({ level, words, ...fields })
  }
  const faults = createFaultLog({ info: at('info'), warn: at('warn') }, () => {}, quiet_ms)
  t.teardown(() => {
    faults.close()
  })
  return { lines, faults }
}

const fault = (code: string, message: string) =>
  Object.assign(new Error(message), { code, severity: 'ERROR', detail: 'Key (content)=(zebra) …' })

t.test('a fault that goes on is logged once, with the words of PostgreSQL, and counted', async t => {
  const { lines, faults } = recorded(200)
  for (let i = 0; i < 50; i++) {
    faults.background(fault('57P01', 'terminating connection due to administrator command'), 'index not filled')
    faults.background(new ConnectError(fault('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1')), 'index not filled')
    faults.call(new ConnectError(fault('57P03', 'the database system is starting up')), 'UNAVAILABLE', {
      request_id: i
    })
  }
  t.match(lines, [
    {
      level: 'warn',
      words: 'index not filled',
      err: { code: '57P01', reason: 'terminating connection due to administrator command' }
    },
    { level: 'warn', words: 'UNAVAILABLE', request_id: 0, err: { reason: 'the database system is starting up' } }
  ])
  t.equal(lines.length, 2)
  await until(() => lines.length === 4, 'they are over')
  const over = lines.slice(2) as Array<{ words: string }>
  over.sort((a, b) => (a.words < b.words ? 1 : -1))
  t.match(over, [
    { level: 'info', words: 'no longer: index not filled', times: 100, seconds: Number },
    { level: 'info', words: 'no longer: UNAVAILABLE', times: 50 }
  ])
  faults.background(fault('57P01', 'again'), 'index not filled')
  t.equal(lines.length, 5, 'and what comes later is another')
})

t.test('what happens once is not counted, and another fault is another', async t => {
  const { lines, faults } = recorded(50)
  faults.background(fault('57P01', 'x'), 'once')
  faults.background(fault('23514', 'zebra'), 'once')
  t.match(lines, [{ err: { code: '57P01' } }, { err: { code: '23514' } }])
  t.notMatch(JSON.stringify(lines), /zebra/, 'no values')
  await new Promise(resolve => setTimeout(resolve, 200))
  t.equal(lines.length, 2)
})

t.test("a call's own fault is logged each time", async t => {
  const { lines, faults } = recorded(1000)
  for (let i = 0; i < 3; i++)
    faults.call(fault('57014', 'canceling statement'), 'SERVICE_UNAVAILABLE', { request_id: i })
  t.same(
    lines.map(({ request_id }) => request_id),
    [0, 1, 2]
  )
})
