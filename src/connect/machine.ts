import { posix, win32 } from 'node:path'

/** The machine and its user, as far as it decides where coding agents keep their files. */
export interface Machine {
  platform: string
  env: Readonly<Record<string, string | undefined>>
  /** The user's home folder. */
  home: string
  /** The project's folder. */
  cwd: string
}

export function pathsOf({ platform }: Pick<Machine, 'platform'>): typeof posix {
  return platform === 'win32' ? win32 : posix
}

export function inHome(machine: Machine, ...parts: string[]): string {
  return pathsOf(machine).join(machine.home, ...parts)
}

/** The folder that a variable names, else a folder in the user's home. */
export function folderOf(machine: Machine, variable: string, ...parts: string[]): string {
  const { env } = machine
  const given = env[variable]
  return given !== undefined && pathsOf(machine).isAbsolute(given) ? given : inHome(machine, ...parts)
}

/** Where desktop programs keep what the user has set. */
export function settingsFolder(machine: Machine): string {
  if (machine.platform === 'win32') return folderOf(machine, 'APPDATA', 'AppData', 'Roaming')
  if (machine.platform === 'darwin') return inHome(machine, 'Library', 'Application Support')
  return xdgFolder(machine)
}

/** Where programs that follow the XDG specification on every system keep it. */
export function xdgFolder(machine: Machine): string {
  return folderOf(machine, 'XDG_CONFIG_HOME', '.config')
}
