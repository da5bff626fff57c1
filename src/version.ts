import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** From package.json, which is one folder up from the sources and two from the compiled files. */
const file = [new URL('../package.json', import.meta.url), new URL('../../package.json', import.meta.url)].find(url =>
  existsSync(url)
) as URL

/** Whether the program runs from a checkout. An installed package, and the image, have no sources. */
export const isCheckout = existsSync(new URL('src/cli.ts', file))

/** The compiled program, which other programs start by its path. */
export const programFile = fileURLToPath(new URL('dist/src/cli.js', file))

export const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string }

/** What people type to run this program, in the folder of the checkout or anywhere. */
export const commandLine = isCheckout ? 'node scripts/start.js' : name
