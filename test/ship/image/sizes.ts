import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Podman } from './podman.js'

/** What the image weighs: unpacked by layer, and packed as a registry keeps it. */
export async function sizes(podman: Podman, image: string, folder: string): Promise<Record<string, string>> {
  const history = JSON.parse(await podman.run(['history', '--format=json', '--no-trunc', image])) as Layer[]
  const own = history.filter(({ size, CreatedBy }) => size > 0 && CreatedBy.includes('COPY'))
  const packed = join(folder, 'packed')
  await podman.run(['save', '--quiet', '--format=docker-dir', '--compress', `--output=${packed}`, image])
  const { layers } = JSON.parse(readFileSync(join(packed, 'manifest.json'), 'utf8')) as { layers: Packed[] }
  rmSync(packed, { recursive: true, force: true })
  return {
    ...Object.fromEntries(
      own
        .reverse()
        .map(({ size, CreatedBy }) => [`layer ${CreatedBy.replace(/^.*COPY \S+ /, '').slice(0, 36)}`, mb(size)])
    ),
    'unpacked, without the base image': mb(sum(own.map(({ size }) => size))),
    'unpacked, with the base image': mb(sum(history.map(({ size }) => size))),
    'packed, without the base image': mb(sum(layers.slice(-own.length).map(({ size }) => size))),
    'packed, with the base image': mb(sum(layers.map(({ size }) => size)))
  }
}

interface Layer {
  size: number
  CreatedBy: string
}
interface Packed {
  size: number
}

const sum = (numbers: number[]) => numbers.reduce((all, one) => all + one, 0)
const mb = (size: number) => `${(size / 1e6).toFixed(1)} MB`
