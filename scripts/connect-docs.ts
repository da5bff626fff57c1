import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type CodingAgent, codingAgents, type Connection } from '../src/connect/coding-agents.js'
import { entryFor, KEY_VARIABLE, SERVER_NAME } from '../src/connect/entries.js'
import { hookSettings } from '../src/connect/hooks.js'
import type { Machine } from '../src/connect/machine.js'
import { applyEdits } from '../src/connect/text/edits.js'
import { insertEntry } from '../src/connect/text/formats.js'
import { SKILLS } from '../src/mcp/skills/texts.js'

/**
 * Writes what the table of coding agents says: the table and the entries in docs/connect.md; and the skills of the
 * plugin for Claude Code, which are those of the server. `npm run docs` runs it; test/connect/docs.test.ts compares.
 */

const ROOT = join(import.meta.dirname, '..')
const PAGE = 'docs/connect.md'

/** Each generated file and what it should be. */
export function generated(): Map<string, string> {
  const files = new Map([[PAGE, page(readFileSync(join(ROOT, PAGE), 'utf8'))]])
  for (const [name, text] of Object.entries(SKILLS))
    files.set(`clients/claude-code-plugin/skills/${name}/SKILL.md`, text)
  return files
}

function page(current: string): string {
  return between(between(current, 'coding agents', agentsTable()), 'entries', codingAgents.map(section).join('\n\n'))
}

function between(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${PAGE} lacks ${begin} and ${end}`)
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`
}

/** Paths on three systems, as people write them. */
const MACHINES: Record<string, Machine> = {
  Linux: { platform: 'linux', env: {}, home: '~', cwd: '.' },
  macOS: { platform: 'darwin', env: {}, home: '~', cwd: '.' },
  Windows: { platform: 'win32', env: { APPDATA: 'C:\\%APPDATA%' }, home: '%USERPROFILE%', cwd: '.' }
}

function agentsTable(): string {
  const rows = codingAgents.map(agent => {
    const { name, title, project, reference } = agent
    const key = reference === undefined ? '' : `\`${reference(KEY_VARIABLE)}\``
    return [
      `[${title}](#${anchor(title)})`,
      `\`${name}\``,
      code(project?.join('/')),
      key,
      hookSettings[name] ? 'yes' : ''
    ]
  })
  return table(['coding agent', 'client', "a project's file", 'how it refers to the key there', 'hooks'], rows)
}

function section(agent: CodingAgent): string {
  const { title, name, note, project_note, format, servers } = agent
  const files = Object.entries(MACHINES).map(([system, machine]) => [system, userFiles(agent, machine)] as const)
  const [first] = files
  const same = files.filter(([, path]) => path === first?.[1]).map(([system]) => system)
  const others = files.filter(([, path]) => path !== first?.[1])
  const where = [`${code(first?.[1])}${others.length > 0 ? ` (${same.join(', ')})` : ''}`]
  for (const [system, path] of others) where.push(`${code(path)} (${system})`)
  const connection: Connection = {
    url: 'http://127.0.0.1:23456/mcp',
    key: { text: 'YOUR KEY' },
    agent_id: name,
    agent_type: name,
    stdio: {
      command: '/path/to/node',
      args: ['/path/to/shared-context-server/dist/src/cli.js', 'mcp'],
      env: { DATA_DIR: '/path/to/shared-context-server/data', AGENT_ID: name, AGENT_TYPE: name }
    }
  }
  const entry = applyEdits('', insertEntry(format, '', [...servers, SERVER_NAME], entryFor(agent, connection)))
  return [
    `### ${title}`,
    `\`connect ${name}\` writes ${where.join(', ')}:`,
    `\`\`\`${format}\n${entry.trimEnd()}\n\`\`\``,
    ...[note, project_note].filter(words => words !== undefined)
  ].join('\n\n')
}

function userFiles(agent: CodingAgent, machine: Machine): string {
  return (agent.user(machine)[0] as string).replace('C:\\%APPDATA%', '%APPDATA%')
}

function code(text: string | undefined): string {
  return text === undefined ? '' : `\`${text}\``
}

function anchor(title: string): string {
  return title.toLowerCase().replaceAll(' ', '-')
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows]
    .map(cells => `| ${cells.join(' | ')} |`.replaceAll('  ', ' '))
    .join('\n')
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  for (const [path, text] of generated()) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), text)
  }
