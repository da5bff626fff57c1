// Loaded into a replica with NODE_OPTIONS: on SIGUSR2 it says, after collecting, what it still holds.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

process.on('SIGUSR2', () => {
  collect()
  // What is freed by one collection may hold what the next one frees.
  setImmediate(() => {
    collect()
    const handles = {}
    for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1
    const { heapUsed, external } = process.memoryUsage()
    process.stderr.write(`level ${JSON.stringify({ heap: heapUsed + external, handles })}\n`)
  })
})
