/**
 * LangGraph.js' suite for checkpointers against ours: `npx tsx test/clients/typescript/langgraph-suite.ts`. It packs
 * the client, installs it and the suite into a temporary folder, and runs the suite, unmodified, against three replicas
 * behind a balancer. It must print that none failed. It takes npm's registry and a minute or two.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_KEY, type HasTeardown, ROOT } from '../../helper.js'
import { startRoundRobin } from '../../replicas/balancer.js'
import { startFleet } from '../../replicas/fleet.js'
import { createDatabase, startTestServer, stopTestServer } from '../../support/cluster.js'

const PACKAGES = [
  '@langchain/langgraph-checkpoint-validation@1.1.1',
  '@langchain/langgraph-checkpoint@1.2.2',
  '@langchain/core@1.4.0',
  'vitest@4.1.10'
]

/** The initializer is all that the suite asks of a checkpointer. Each one has a namespace of its own. */
const SPEC = `
import * as suite from '@langchain/langgraph-checkpoint-validation'
import { SharedContext } from 'shared-context-client'
import { SharedContextSaver } from 'shared-context-client/langgraph'
const { SHARED_CONTEXT_URL: url, SHARED_CONTEXT_API_KEY: apiKey } = process.env
const client = new SharedContext({ url, apiKey, agentId: 'suite', agentType: 'langgraph' })
let count = 0
const initializer = {
  checkpointerName: 'shared-context-client',
  createCheckpointer: () => new SharedContextSaver(client, { root: 'suite-' + ++count })
}
suite.validate(initializer)
`

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  testResults: Array<{ assertionResults: Array<{ fullName: string; status: string; failureMessages: string[] }> }>
}

const teardowns: Array<() => unknown> = []
const t: HasTeardown = {
  teardown(end: () => unknown) {
    teardowns.unshift(end)
  }
}

const folder = await mkdtemp(join(tmpdir(), 'scs-langgraph-'))
try {
  const npm = (args: string[], cwd: string) => execFileSync('npm', args, { cwd, encoding: 'utf8' })
  const said = JSON.parse(
    npm(['pack', '--json', '--pack-destination', folder], join(ROOT, 'clients', 'typescript'))
  ) as object
  const [{ filename }] = Object.values(said) as [{ filename: string }]
  await writeFile(join(folder, 'package.json'), '{"private": true, "type": "module"}')
  npm(['install', '--no-audit', '--no-fund', '--ignore-scripts', join(folder, filename), ...PACKAGES], folder)
  await writeFile(join(folder, 'suite.spec.js'), SPEC)

  await startTestServer()
  t.teardown(stopTestServer)
  const database = await createDatabase()
  t.teardown(database.drop)
  const fleet = await startFleet(t, database.url)
  const { url } = await startRoundRobin(t, fleet.ports)
  const run = ['vitest', 'run', '--globals', '--reporter=json', '--outputFile=report.json', '--testTimeout=30000']
  // The balancer runs in this process, which must not stand still meanwhile.
  const vitest = spawn('npx', run, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SHARED_CONTEXT_URL: url, SHARED_CONTEXT_API_KEY: API_KEY }
  })
  await once(vitest, 'exit')
  const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as Report
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: left_out } = report
  console.log(`${passed} passed, ${failed} failed, ${left_out} left out: ${PACKAGES[0]}`)
  for (const { fullName, status, failureMessages } of report.testResults.flatMap(each => each.assertionResults))
    if (status !== 'passed') console.log(`${status}: ${fullName}\n${failureMessages.join('\n')}`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
} finally {
  for (const end of teardowns) await end()
  await rm(folder, { recursive: true, force: true })
}
