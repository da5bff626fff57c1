import { isObject } from '../kernel/json.js'
import { folderOf, inHome, type Machine, pathsOf } from './machine.js'

/** When a coding agent tells this program what happens, so that it can hand over messages. */
export type HookMoment = (typeof MOMENTS)[number]
export const MOMENTS = ['start', 'prompt', 'stop'] as const

/** How a coding agent runs programs at such moments. */
export interface HookSettings {
  user: (machine: Machine) => string
  project: readonly string[]
  /** What it calls each moment. */
  events: Readonly<Record<HookMoment, string>>
  /** Its unit of time limits: how many make a second. */
  per_second: number
  /** The word with which a hook keeps the coding agent from stopping. */
  blocks: 'block' | 'deny'
  note?: string
}

/** The time limit of a hook. The program itself gives up earlier. */
const LIMIT_SECONDS = 5

export const hookSettings: Readonly<Record<string, HookSettings>> = {
  'claude-code': {
    user: machine => pathsOf(machine).join(folderOf(machine, 'CLAUDE_CONFIG_DIR', '.claude'), 'settings.json'),
    project: ['.claude', 'settings.json'],
    events: { start: 'SessionStart', prompt: 'UserPromptSubmit', stop: 'Stop' },
    per_second: 1,
    blocks: 'block'
  },
  codex: {
    user: machine => pathsOf(machine).join(folderOf(machine, 'CODEX_HOME', '.codex'), 'hooks.json'),
    project: ['.codex', 'hooks.json'],
    events: { start: 'SessionStart', prompt: 'UserPromptSubmit', stop: 'Stop' },
    per_second: 1,
    blocks: 'block',
    note: 'Codex asks you once whether you trust these hooks: see /hooks.'
  },
  gemini: {
    user: machine => inHome(machine, '.gemini', 'settings.json'),
    project: ['.gemini', 'settings.json'],
    events: { start: 'SessionStart', prompt: 'BeforeAgent', stop: 'AfterAgent' },
    per_second: 1000,
    blocks: 'deny'
  }
}

/** What goes into the list of an event. */
export function hookItem({ per_second }: HookSettings, command: string): Record<string, unknown> {
  return { hooks: [{ type: 'command', command, timeout: LIMIT_SECONDS * per_second }] }
}

/** Whether a hook was written by this program, whatever it was called with. */
export function isOurHook(client: string): (hook: unknown) => boolean {
  const ours = new RegExp(`(shared-context-server|cli\\.js)"? hook ${client} `)
  return hook => isObject(hook) && typeof hook.command === 'string' && ours.test(`${hook.command} `)
}
