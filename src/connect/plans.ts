import { type Change, entryChange, hookChange } from './change.js'
import type { CodingAgent, Connection } from './coding-agents.js'
import { entryFor } from './entries.js'
import type { Scope } from './find.js'
import { readFound } from './file.js'
import { type HookMoment, hookSettings, MOMENTS } from './hooks.js'
import { type Machine, pathsOf } from './machine.js'
import { type Plan, planRemoving, planWriting } from './plan.js'
import type { WrittenFiles } from './record.js'
import { Refused } from './text/refused.js'

/** What the user wants for one coding agent. */
export interface Wish {
  what: 'connect' | 'remove'
  /** The file with its servers. */
  path: string
  scope: Scope
  /** The server's base address. */
  url: string
  /** Hooks too; those that are there are brought up to date without it. */
  hooks: boolean
  /** The profile with the key that hooks use. */
  profile: string
  hook_command: (moment: HookMoment) => string
  connection: Connection
}

/**
 * Plans all files of one coding agent.
 * @throws Refused, with the file that is left as it is
 */
export async function plansFor(
  agent: CodingAgent,
  machine: Machine,
  wish: Wish,
  record: WrittenFiles
): Promise<Plan[]> {
  const { path, connection, what } = wish
  const entry = entryFor(agent, connection)
  const files = new Map<string, Change[]>([[path, [entryChange(agent, entry)]]])
  const settings = hookSettings[agent.name]
  if (settings !== undefined) {
    const hookPath =
      wish.scope === 'user' ? settings.user(machine) : pathsOf(machine).join(machine.cwd, ...settings.project)
    const hooks = MOMENTS.map(moment => hookChange(agent.name, settings, moment, wish.hook_command(moment)))
    const isThere = await named(hookPath, async () => {
      const { text } = await readFound(hookPath)
      return hooks.some(change => change.isThere(text))
    })
    if (isThere || (wish.hooks && what === 'connect')) files.set(hookPath, [...(files.get(hookPath) ?? []), ...hooks])
  }
  const key = 'text' in connection.key ? connection.key.text : ''
  const secret = key !== '' && JSON.stringify(entry).includes(key)
  return Promise.all(
    [...files].map(([file, changes]) =>
      named(file, () =>
        what === 'remove'
          ? planRemoving(file, changes, record)
          : planWriting(file, changes, secret && file === path, record)
      )
    )
  )
}

/** Says which file it is about when something is refused. */
export async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refused) throw new Refused(`The file ${path} ${error.message}. It is as it was.`)
    throw error
  }
}
