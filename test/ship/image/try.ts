import { chmodSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ROOT } from '../../helper.js'
import { makeBase, registryOptions } from './base.js'
import { startPostgres } from './database.js'
import { LIMITS, Podman } from './podman.js'
import { runImage } from './service.js'
import { sizes } from './sizes.js'

/**
 * Builds the image by the Dockerfile, and runs it as compose.yaml and k8s/ do: nothing can be written, no rights, 512
 * MiB, against Debian's PostgreSQL. `npm run image:try`, as root on Debian, after
 * `apt-get install --no-install-recommends podman runc debootstrap postgresql-15`. It needs no daemon and no registry
 * of images, but Debian's packages and npm's. TELEMETRY=on builds with OpenTelemetry. KEEP=<folder> keeps the images
 * there, and begins with what is there. It prints what it measured, and fails if something does not hold.
 */

const { KEEP, TELEMETRY = 'off' } = process.env
const IMAGE = 'localhost/shared-context-server'

const folder = KEEP === undefined ? mkdtempSync(join(tmpdir(), 'scs-image-')) : resolve(KEEP)
mkdirSync(folder, { recursive: true })
chmodSync(folder, 0o711)
const podman = new Podman(folder)
const ends: Array<() => Promise<unknown>> = [() => podman.close({ keep: KEEP !== undefined })]
const say = (name: string, figure: string | number) => {
  console.log(`${name.padEnd(44)} ${figure}`)
}
try {
  const began = Date.now()
  const base = await makeBase(podman, folder)
  say('base image', base)
  await podman.run([
    ...['build', '--format=docker', '--pull=never', '--network=host', `--tag=${IMAGE}`, ...LIMITS],
    ...[`--build-arg=TELEMETRY=${TELEMETRY}`, ...registryOptions(folder), ROOT]
  ])
  say('built after', `${Math.round((Date.now() - began) / 1000)} s`)
  for (const [name, figure] of Object.entries(await sizes(podman, IMAGE, folder))) say(name, figure)

  const at = join(folder, `postgres-${process.pid}`)
  if (existsSync(at)) throw new Error(`${at} is there already`)
  const postgres = await startPostgres(at)
  ends.unshift(() => postgres.stop())
  say('PostgreSQL', postgres.version)
  await runImage(podman, IMAGE, postgres.url, say)
  console.log('All of this holds.')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  for (const end of ends) await end()
}
