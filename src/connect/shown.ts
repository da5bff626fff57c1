import { isObject } from '../kernel/json.js'
import { KEY_VARIABLE } from './entries.js'
import type { Plan, Planned } from './plan.js'

/**
 * What a plan does, for people. Of what stood in the file before, only what this program changes is shown: the rest may
 * be secret. Keys are shown by their beginning.
 */
export function shown(plan: Plan): string[] {
  const { file, removes_file, planned, secret } = plan
  const rights = (mode: number) => `0${mode.toString(8)}`
  const state =
    file.mode === undefined
      ? ' (new)'
      : secret && process.platform !== 'win32' && (file.mode & 0o077) !== 0
        ? ` (mode ${rights(file.mode)}, will be ${rights(file.mode & 0o700)}: it holds a key)`
        : ''
  return [
    `${file.path}${removes_file ? ' (goes: nothing else is in it)' : state}`,
    ...planned.flatMap(changed).map(line => `  ${masked(line)}`)
  ]
}

function changed({ at, what, before, after, inserted }: Planned): string[] {
  if (what === 'keep') return [`= ${at} is up to date`]
  if (what === 'absent') return [`= ${at} is not there`]
  if (what === 'add')
    return inserted.flatMap(({ line, text }) => {
      const lines = text
        .replace(/^,?\r?\n/, '')
        .trimEnd()
        .split(/\r?\n/)
      return text.trim() === ',' ? [] : [`@ line ${line}`, ...lines.map(each => `+ ${each.replaceAll('\t', '  ')}`)]
    })
  const old = what === 'remove' ? leaves(before, at) : differing(before, after, at)
  return [
    ...old.map(([path, value]) => `- ${path} = ${value}`),
    ...(what === 'update' ? differing(after, before, at).map(([path, value]) => `+ ${path} = ${value}`) : [])
  ]
}

/** What of a value another one has not, or has otherwise. */
function differing(value: unknown, other: unknown, at: string): Array<[string, string]> {
  const others = new Map(leaves(other, at))
  return leaves(value, at).filter(([path, text]) => others.get(path) !== text)
}

function leaves(value: unknown, at: string): Array<[string, string]> {
  if (Array.isArray(value)) return value.flatMap((inner, index) => leaves(inner, `${at}[${index}]`))
  if (!isObject(value)) return value === undefined ? [] : [[at, JSON.stringify(value)]]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${at}.${key}`))
}

/** What stands in a header for a key, unless it names a variable or was hidden by its form. */
const KEY_IN_HEADER = new RegExp(
  `((?:X-API-Key|Authorization)"?\\s*[:=]\\s*")(?!\\$|\\{env:|scs_|${KEY_VARIABLE}")[^"]*"`,
  'gi'
)

/** Hides API keys: those that the server makes by their form, others by the header that they are in. */
function masked(line: string): string {
  return line.replaceAll(/scs_[\w-]{8,}/g, key => `${key.slice(0, 8)}…`).replaceAll(KEY_IN_HEADER, '$1…"')
}
