import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { type Config, variables } from '../../src/config/config.js'
import { compiled, ROOT } from '../helper.js'

/** The files that ship the service, read as the tools that use them would. */

export function text(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

export function yaml(path: string): any {
  return parse(text(path), { merge: true })
}

export function documents(source: string): any[] {
  return parseAllDocuments(source).map(document => document.toJS() as unknown)
}

/** Names of the environment that are not the program's own. */
const FOREIGN = ['NODE_ENV', 'NODE_OPTIONS', 'TZ', 'POSTGRES_USER', 'POSTGRES_DB', 'POSTGRES_PASSWORD']

export function unknownNames(names: string[]): string[] {
  const known = new Set([
    ...FOREIGN,
    ...variables.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]))
  ])
  return names.filter(name => !known.has(name))
}

export interface EnvLine {
  name: string
  value: string
  commented: boolean
}

/** NAME=value, and # NAME=value for what is commented out. */
export function envLines(path: string): EnvLine[] {
  return [...text(path).matchAll(/^(# )?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, mark, name = '', value = '']) => ({
    name,
    value,
    commented: mark !== undefined
  }))
}

export function envFile(path: string): Record<string, string> {
  return Object.fromEntries(
    envLines(path)
      .filter(line => !line.commented)
      .map(({ name, value }) => [name, value])
  )
}

export interface Instruction {
  word: string
  flags: string[]
  rest: string
}
export interface Stage {
  name: string
  base: string
  instructions: Instruction[]
}

/** Instructions by stage; what stands before the first FROM is left out. */
function stages(dockerfile: string): Stage[] {
  const found: Stage[] = []
  for (const line of dockerfile
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')) {
    const [, word, flags = '', rest = ''] = /^([A-Z]+)\s+((?:--\S+\s+)*)(.*)$/.exec(line.trim()) ?? []
    if (word === undefined) continue
    if (word === 'FROM') {
      const [base = '', , name = ''] = rest.split(/\s+/)
      found.push({ name, base, instructions: [] })
    } else found.at(-1)?.instructions.push({ word, flags: flags.split(/\s+/).filter(Boolean), rest })
  }
  return found
}

export function every(stage: Stage, word: string): Instruction[] {
  return stage.instructions.filter(instruction => instruction.word === word)
}

export function only(stage: Stage, word: string): Instruction {
  const [one, ...more] = every(stage, word)
  if (one === undefined || more.length > 0) throw new Error(`There should be one ${word}`)
  return one
}

/** Packages that the compiled program holds the code of, by name. */
export function bundledPackages(): string[] {
  return ['bundled.json', 'bundled-page.json']
    .flatMap(name => JSON.parse(readFileSync(join(dirname(dirname(compiled())), name), 'utf8')) as string[])
    .map(folder => folder.replace(/^.*node_modules\//, ''))
}

/** NAME=value pairs of ENV and LABEL, quotes taken off. */
export function pairs({ rest }: Instruction): Record<string, string> {
  return Object.fromEntries(
    [...rest.matchAll(/([\w.]+)=("[^"]*"|\S+)/g)].map(([, name = '', value = '']) => [
      name,
      value.replace(/^"|"$/g, '')
    ])
  )
}

export function image(): { build: Stage; dependencies: Stage; runtime: Stage; environment: Record<string, string> } {
  const [dependencies, build, runtime, ...more] = stages(text('Dockerfile'))
  if (build === undefined || dependencies === undefined || runtime === undefined || more.length > 0)
    throw new Error('There should be three stages')
  return { build, dependencies, runtime, environment: pairs(only(runtime, 'ENV')) }
}

/** Words of Kubernetes and Docker for bytes. */
export function bytes(amount: string): number {
  const [, number, unit = ''] = /^(\d+)(\w*)$/.exec(amount) ?? []
  const factor = { '': 1, k: 1024, m: 1024 ** 2, Mi: 1024 ** 2, M: 1024 ** 2, g: 1024 ** 3, Gi: 1024 ** 3 }[unit]
  if (number === undefined || factor === undefined) throw new Error(`Not an amount of bytes: ${amount}`)
  return Number(number) * factor
}

/** Bytes that Node's heap may take at most: what is old, and what is young in three semi-spaces. */
export function heap(nodeOptions: string): number {
  const mebibytes = (option: string) => Number(new RegExp(`--max-${option}-size=(\\d+)`).exec(nodeOptions)?.[1])
  return (mebibytes('old-space') + 3 * mebibytes('semi-space')) * 1024 ** 2
}

/** Milliseconds that stopping may take, without what comes before it; serve.ts and start-service.ts have the phases. */
export function stopping({ shutdown_delay_ms, shutdown_timeout_ms }: Config): number {
  const code = text('src/commands/serve.ts') + text('src/commands/start-service.ts')
  const phases = [...code.matchAll(/limit_ms: ([^,}]+?)\s*[,}]/g)].map(([, limit]) => limit)
  if (phases.join() !== ['config.shutdown_delay_ms + 1000', 'config.shutdown_timeout_ms', '10_000', '30_000'].join())
    throw new Error(`The phases of stopping have changed: ${phases.join()}`)
  // The last one is the embedded PostgreSQL's.
  return shutdown_delay_ms + 1000 + shutdown_timeout_ms + 10_000
}

export function onPath(program: string, argument: string): boolean {
  try {
    execFileSync(program, [argument], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
