import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from '../files.js'
import type { Podman } from './podman.js'

/**
 * Makes the image that the Dockerfile begins with, for machines that reach no registry of images: Debian's smallest
 * system by debootstrap, and Node and npm from the packages that npm has of them. It has what the Dockerfile needs of
 * `node:<major>-<release>-slim`, and the name.
 */
export async function makeBase(podman: Podman, folder: string): Promise<string> {
  const [, image = '', major = '', release = ''] =
    /^ARG NODE_IMAGE=(node:(\d+)-([a-z]+)-slim)$/m.exec(text('Dockerfile')) ?? []
  const name = `docker.io/library/${image}`
  if (image === '') throw new Error('NODE_IMAGE of the Dockerfile has another form')
  if (await podman.succeeds(['image', 'exists', name])) return name

  const root = join(folder, 'base')
  rmSync(root, { recursive: true, force: true })
  run('debootstrap', ['--variant=minbase', release, root])
  for (const path of ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'var/lib/apt/lists', 'var/cache/apt']) {
    rmSync(join(root, path), { recursive: true, force: true })
    mkdirSync(join(root, path))
  }
  const local = join(root, 'usr', 'local')
  const node = unpacked(`node-linux-${process.arch}@${major}`, folder)
  cpSync(join(node, 'bin', 'node'), join(local, 'bin', 'node'))
  mkdirSync(join(local, 'lib', 'node_modules'), { recursive: true })
  cpSync(unpacked('npm@11', folder), join(local, 'lib', 'node_modules', 'npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin', 'npm'))
  run('chroot', [root, 'useradd', '--uid=1000', '--user-group', '--create-home', '--shell=/bin/bash', 'node'])

  const archive = join(folder, 'base.tar')
  run('tar', ['-C', root, '-cf', archive, '.'])
  await podman.run(['import', '--quiet', '--change=CMD ["node"]', archive, name])
  for (const path of [root, archive]) rmSync(path, { recursive: true, force: true })
  return name
}

/** The folder of a package of npm. */
function unpacked(specifier: string, folder: string): string {
  const to = join(folder, specifier.replace(/@.*/, ''))
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to)
  run('npm', ['pack', '--silent', `--pack-destination=${to}`, specifier])
  const [archive = ''] = readdirSync(to)
  run('tar', ['-C', to, '-xzf', join(to, archive)])
  return join(to, 'package')
}

function run(program: string, args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

/**
 * Options of `podman build`: the registry of packages that this machine's npm asks, and whose word it takes for that
 * being it. They are mounted while the image is built, and no part of it.
 */
export function registryOptions(folder: string): string[] {
  const asked = (key: string) => run('npm', ['config', 'get', key]).trim()
  const cafile = asked('cafile')
  const npmrc = join(folder, 'npmrc')
  const lines = [`registry=${asked('registry')}`]
  const options = [`--volume=${npmrc}:/usr/local/etc/npmrc:ro`]
  if (cafile !== 'null' && existsSync(cafile)) {
    lines.push('cafile=/usr/local/etc/npm-ca.crt')
    options.push(`--volume=${cafile}:/usr/local/etc/npm-ca.crt:ro`)
  }
  writeFileSync(npmrc, `${lines.join('\n')}\n`)
  return options
}
