import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { environment, ROOT, runProgram } from '../../helper.js'
import { createDatabase } from '../../support/cluster.js'
import { quietPort } from '../../support/ports.js'

/** The container in k8s/ has 512 MiB. */
export const RSS_MAX_MB = 450

/**
 * A server as in k8s/, in a process of its own, with a database of its own.
 * @param node_options more than those of k8s/config.env
 */
export async function startLimitedServer(t: Test, log_level: string, node_options = '') {
  const database = await createDatabase()
  t.teardown(() => database.drop())
  const port = await quietPort()
  const config = await readFile(join(ROOT, 'k8s', 'config.env'), 'utf8')
  const own = /^NODE_OPTIONS=(.*)$/m.exec(config)?.[1] ?? ''
  const server = await runProgram(
    t,
    ['serve'],
    environment(database.url, {
      PORT: String(port),
      NODE_ENV: 'production',
      LOG_LEVEL: log_level,
      NODE_OPTIONS: `${own} ${node_options}`.trim()
    })
  )
  const { pid } = server.process
  return {
    ...server,
    port,
    /** The most memory that the server has had since the last time. */
    peakMb: async (): Promise<number> => {
      const peak = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
      // Begins anew from what it has now.
      await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => {})
      return Number(peak) / 1024
    }
  }
}
