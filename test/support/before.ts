import { startTestServer } from './cluster.js'

await startTestServer()
