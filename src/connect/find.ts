import { access, constants, stat } from 'node:fs/promises'
import { type CodingAgent, codingAgents } from './coding-agents.js'
import { type Machine, pathsOf } from './machine.js'

/** The coding agents that the user of a machine has, in the order of the table. */
export async function findCodingAgents(machine: Machine): Promise<CodingAgent[]> {
  const found = await Promise.all(codingAgents.map(agent => isThere(agent, machine)))
  return codingAgents.filter((_agent, index) => found[index])
}

async function isThere({ programs, traces }: CodingAgent, machine: Machine): Promise<boolean> {
  for (const program of programs) if ((await programPath(program, machine)) !== undefined) return true
  for (const path of traces(machine)) if (await exists(path)) return true
  return false
}

/** Where a program of this name is in the PATH. */
export async function programPath(name: string, machine: Machine): Promise<string | undefined> {
  const paths = pathsOf(machine)
  const endings = machine.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : ['']
  for (const folder of (machine.env.PATH ?? machine.env.Path ?? '').split(paths.delimiter)) {
    if (!paths.isAbsolute(folder)) continue
    for (const ending of endings) {
      const path = paths.join(folder, `${name}${ending}`)
      if (await isProgram(path)) return path
    }
  }
  return undefined
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}

/** The file that a coding agent reads: of several, the first that is there. */
export async function fileOf(agent: CodingAgent, machine: Machine, scope: Scope): Promise<string | undefined> {
  if (scope === 'project') return agent.project && pathsOf(machine).join(machine.cwd, ...agent.project)
  const files = agent.user(machine)
  for (const file of files) if (await exists(file)) return file
  return files[0]
}

/** Whose files: those of the user, or those of a project, which a team shares. */
export type Scope = 'user' | 'project'
export const SCOPES: readonly Scope[] = ['user', 'project']
