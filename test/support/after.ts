import { stopTestServer } from './cluster.js'

await stopTestServer()
