/**
 * A program that opens the embedded PostgreSQL, for tests that kill it: `<dataDir> <mode>`. Says one line of JSON, ends
 * on SIGTERM.
 */
import { EmbeddedError, openEmbedded } from '../../../src/postgres/embedded/index.js'

const [dataDir, mode] = process.argv.slice(2)
try {
  const embedded = await openEmbedded({ dataDir, mode: mode as 'serve' | 'join', settings: { fsync: 'off' } })
  console.log(JSON.stringify({ url: embedded.url, adopted: embedded.adopted }))
  process.once('SIGTERM', () => {
    void embedded.close()
  })
} catch (error) {
  console.log(JSON.stringify({ refused: error instanceof EmbeddedError, message: (error as Error).message }))
}
