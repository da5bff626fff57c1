import { build } from '../../scripts/start.js'
import { startTestServer } from './cluster.js'
import { bundlePackages } from './packages.mjs'

// Once, before files run beside each other: tests of processes run what is compiled.
build()

await bundlePackages()
await startTestServer()
