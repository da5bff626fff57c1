import { variables } from '../config/config.js'
import { name as program, version } from '../version.js'
import type { Option, Verb, Verbs } from './command.js'

/** The longest line of the help, in characters. */
const LINE_MAX = 100

/** The text of `help`. */
export function overview(summaries: Readonly<Record<string, { summary: string }>>): string {
  return [
    `${program} ${version}`,
    '',
    `Usage: ${program} [command]`,
    '',
    ...columns(Object.entries(summaries).map(([name, { summary }]) => [name, summary])),
    '',
    `"${program} <command> --help" shows how a command is called, "${program} --version" the version.`,
    `Environment variables configure the program; "${program} serve --help" lists them.`,
    'A command exits with 0 if it did what it should, with 1 if it could not, and with 2 if its words are wrong.'
  ].join('\n')
}

/**
 * The text of `<command> --help`, or of the verbs of the command that begin with these words.
 * @param words what stands before --help, such as `create`
 */
export function commandHelp(command: string, summary: string, verbs: Verbs, words: readonly string[]): string {
  // `retention` alone is `retention show`: the same verb is shown once, by its longest name.
  const names = [...new Map(Object.entries(verbs).map(([name, described]) => [described, name])).values()]
  const asked = words.filter(word => !word.startsWith('-')).join(' ')
  const begun = names.filter(
    name => asked !== '' && (`${asked} `.startsWith(`${name} `) || name.startsWith(`${asked} `))
  )
  const shown = (begun.length > 0 ? begun : names).map(name => [name, verbs[name] as Verb] as const)
  return [
    ...(shown.length > 1 ? [`${command}: ${summary}`, ''] : []),
    ...shown.flatMap(([name, described]) => [
      usage(command, name, described),
      ...folded(described.summary.split(' '), ' ', ' '),
      ''
    ]),
    'Options:',
    ...columns([...optionRows(command, shown), ['-h, --help', 'show this text']]),
    ...(shown.some(([, { listsVariables }]) => listsVariables)
      ? ['', 'Environment variables, with their defaults:', '', ...columns(variables.map(variableRow))]
      : [])
  ].join('\n')
}

/** The options of verbs, each once. What verbs take differently is there once for each way, with their names. */
function optionRows(command: string, shown: ReadonlyArray<readonly [string, Verb]>): Array<[string, string]> {
  const ways = new Map<string, Map<string, string[]>>()
  for (const [verb, { options }] of shown)
    for (const [name, option] of Object.entries(options)) {
      const texts = ways.get(optionWord(name, option)) ?? new Map<string, string[]>()
      const text = `${option.description}${option.required === true ? ' (required)' : ''}`
      ways.set(optionWord(name, option), texts.set(text, [...(texts.get(text) ?? []), verb === '' ? command : verb]))
    }
  return [...ways].flatMap(([word, texts]) =>
    [...texts].map(([text, verbs]): [string, string] => [word, texts.size > 1 ? `${verbs.join(', ')}: ${text}` : text])
  )
}

/** `--agent <agent_id>` */
function optionWord(name: string, { value }: Option): string {
  return `--${name}${value === undefined ? '' : ` ${value}`}`
}

/** `Usage: … keys create --agent <agent_id> [--workspace <name>]`, on as many lines as it needs. */
export function usage(command: string, name: string, { operands, rest, options }: Verb): string {
  const words = Object.entries(options).map(([name, option]) => {
    const word = optionWord(name, option)
    return option.required === true ? word : `[${word}]`
  })
  const first = `Usage: ${[program, command, name].filter(word => word !== '').join(' ')}`
  return folded([...operands, ...(rest === undefined ? [] : [rest]), ...words], first, ' '.repeat(7)).join('\n')
}

/** Two columns; what does not fit beside the first goes on below it. */
function columns(rows: ReadonlyArray<readonly [string, string]>): string[] {
  const width = Math.max(...rows.map(([first]) => first.length))
  return rows.flatMap(([first, text]) => folded(text.split(' '), `  ${first.padEnd(width)} `, ' '.repeat(width + 3)))
}

function folded(words: readonly string[], first: string, indent: string): string[] {
  const lines = [first]
  for (const word of words) {
    const last = lines[lines.length - 1] as string
    if (last.length + 1 + word.length > LINE_MAX) lines.push(`${indent} ${word}`)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

function variableRow({
  name,
  description,
  default: fallback = '',
  default_note = fallback
}: (typeof variables)[number]) {
  const note = default_note === '' ? '' : ` (${default_note})`
  return [name, `${description}${note}`.replaceAll('`', '')] as const
}
