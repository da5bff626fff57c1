import { variables } from '../config/config.js'
import { name as program, version } from '../version.js'

export interface Described {
  /** What stands behind the command's name. */
  takes?: string
  does: string
  /** Whether its help lists the variables. */
  isConfigured?: boolean
}

/** What a person reads who asks for help with nothing in particular. */
export function overview(commands: Record<string, Described>): string {
  const lines = Object.entries(commands).map(
    ([name, { takes, does }]) => `  ${name.padEnd(13)}${takes === undefined ? '' : `${takes}: `}${does}`
  )
  return [
    `${program} ${version}`,
    '',
    `Usage: ${program} [command]`,
    '',
    ...lines,
    '',
    `"${program} <command> --help" says how a command is called, "${program} --version" which version this is.`,
    `Environment variables configure the program; "${program} serve --help" lists them.`
  ].join('\n')
}

/** What a person reads who asks for help with one command. */
export function helpOf(name: string, { takes, does, isConfigured = false }: Described, usage: string): string {
  return [
    `Usage: ${program} ${name}${takes === undefined ? '' : ` ${takes}`}`,
    '',
    `${name}: ${does}`,
    '',
    usage,
    ...(isConfigured ? ['', 'Variables, and what each is unless set:', '', ...variableLines()] : [])
  ].join('\n')
}

function variableLines(): string[] {
  const width = Math.max(...variables.map(({ name }) => name.length))
  return variables.map(
    ({ name, description, default: fallback = '', default_note = fallback }) =>
      `  ${name.padEnd(width)}  ${description}${default_note === '' ? '' : ` (${default_note.replaceAll('`', '')})`}`
  )
}
