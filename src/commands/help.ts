import { variables } from '../config/config.js'
import { name as program, version } from '../version.js'

export interface CommandHelp {
  /** The arguments, as the usage line shows them. */
  parameters?: string
  summary: string
  /** Whether its help lists the environment variables. */
  listsVariables?: boolean
}

/** The text of `help`. */
export function overview(commands: Record<string, CommandHelp>): string {
  const lines = Object.entries(commands).map(
    ([name, { parameters, summary }]) =>
      `  ${name.padEnd(13)}${parameters === undefined ? '' : `${parameters}: `}${summary}`
  )
  return [
    `${program} ${version}`,
    '',
    `Usage: ${program} [command]`,
    '',
    ...lines,
    '',
    `"${program} <command> --help" shows the usage of a command, "${program} --version" the version.`,
    `Environment variables configure the program; "${program} serve --help" lists them.`
  ].join('\n')
}

/** The text of `<command> --help`. */
export function commandHelp(
  name: string,
  { parameters, summary, listsVariables = false }: CommandHelp,
  usage: string
): string {
  return [
    `Usage: ${program} ${name}${parameters === undefined ? '' : ` ${parameters}`}`,
    '',
    `${name}: ${summary}`,
    '',
    usage,
    ...(listsVariables ? ['', 'Environment variables, with their defaults:', '', ...variableLines()] : [])
  ].join('\n')
}

function variableLines(): string[] {
  const width = Math.max(...variables.map(({ name }) => name.length))
  return variables.map(
    ({ name, description, default: fallback = '', default_note = fallback }) =>
      `  ${name.padEnd(width)}  ${description}${default_note === '' ? '' : ` (${default_note.replaceAll('`', '')})`}`
  )
}
