import { build } from '../../scripts/start.js'
import { startTestServer } from './cluster.js'

// Once, before files run beside each other: tests of processes run what is compiled.
build()

await startTestServer()
