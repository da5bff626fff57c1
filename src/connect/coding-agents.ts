import { folderOf, inHome, type Machine, pathsOf, settingsFolder, xdgFolder } from './machine.js'
import type { Entry, FormatName } from './text/formats.js'

/** What a coding agent needs to know about the server. */
export interface Connection {
  /** The address of MCP, such as `http://127.0.0.1:23456/mcp`. */
  url: string
  /** The API key itself, or the environment variable that has it. */
  key: { text: string } | { variable: string }
  /** Left out in files that a team shares: there, each member's key says who it is. */
  agent_id?: string
  agent_type?: string
  /** How to start the program for a coding agent that can only start programs. */
  stdio: { command: string; args: readonly string[]; env: Readonly<Record<string, string>> }
}

/** One coding agent: how to find it, which files it reads, and what an entry looks like there. */
export interface CodingAgent {
  name: string
  title: string
  /** Signs that the user has it: a program in the PATH, or one of these files or folders. */
  programs: readonly string[]
  traces: (machine: Machine) => string[]
  format: FormatName
  /** The keys under which a file has its servers. */
  servers: readonly string[]
  /** The file of the user. Of several, the first that is there counts, else the first. */
  user: (machine: Machine) => string[]
  /** The file in a project's folder. Left out where there is none, or where it could only hold the key itself. */
  project?: readonly string[]
  /** How a value refers to an environment variable in its files. */
  reference?: (variable: string) => string
  entry: (connection: Connection, headers: Record<string, string>) => Entry
  /** What else the user has to know; and what of a project's file. */
  note?: string
  project_note?: string
}

const braces = (variable: string) => `\${${variable}}`
const envBraces = (variable: string) => `\${env:${variable}}`
const dollar = (variable: string) => `$${variable}`
const http = ({ url }: Connection, headers: Record<string, string>) => ({ type: 'http', url, headers })

/** Where VS Code and the programs made from it keep what a user has set. */
const codeFolder = (machine: Machine) => pathsOf(machine).join(settingsFolder(machine), 'Code', 'User')

/** In the order in which they are shown. */
export const codingAgents: readonly CodingAgent[] = [
  {
    name: 'claude-code',
    title: 'Claude Code',
    programs: ['claude'],
    traces: machine => [claudeFile(machine), folderOf(machine, 'CLAUDE_CONFIG_DIR', '.claude')],
    format: 'json',
    servers: ['mcpServers'],
    user: machine => [claudeFile(machine)],
    project: ['.mcp.json'],
    reference: braces,
    entry: http,
    project_note: 'Claude Code asks you once whether it may use the servers of a project.'
  },
  {
    name: 'codex',
    title: 'Codex',
    programs: ['codex'],
    traces: machine => [folderOf(machine, 'CODEX_HOME', '.codex')],
    format: 'toml',
    servers: ['mcp_servers'],
    user: machine => [pathsOf(machine).join(folderOf(machine, 'CODEX_HOME', '.codex'), 'config.toml')],
    project: ['.codex', 'config.toml'],
    // It takes variables by name, in a table of their own.
    reference: variable => variable,
    entry: ({ url, key }, { 'X-API-Key': value = '', ...http_headers }) =>
      'variable' in key
        ? {
            url,
            ...(Object.keys(http_headers).length > 0 && { http_headers }),
            env_http_headers: { 'X-API-Key': key.variable }
          }
        : { url, http_headers: { 'X-API-Key': value, ...http_headers } },
    project_note: 'Codex reads the file of a project only if you trust the project.'
  },
  {
    name: 'gemini',
    title: 'Gemini CLI',
    programs: ['gemini'],
    traces: machine => [inHome(machine, '.gemini')],
    format: 'json',
    servers: ['mcpServers'],
    user: machine => [inHome(machine, '.gemini', 'settings.json')],
    project: ['.gemini', 'settings.json'],
    reference: dollar,
    entry: ({ url }, headers) => ({ httpUrl: url, headers })
  },
  {
    name: 'cursor',
    title: 'Cursor',
    programs: ['cursor', 'cursor-agent'],
    traces: machine => [inHome(machine, '.cursor')],
    format: 'json',
    servers: ['mcpServers'],
    user: machine => [inHome(machine, '.cursor', 'mcp.json')],
    project: ['.cursor', 'mcp.json'],
    reference: envBraces,
    entry: ({ url }, headers) => ({ url, headers })
  },
  {
    name: 'vscode',
    title: 'VS Code',
    programs: ['code'],
    traces: machine => [codeFolder(machine)],
    format: 'json',
    servers: ['servers'],
    user: machine => [pathsOf(machine).join(codeFolder(machine), 'mcp.json')],
    project: ['.vscode', 'mcp.json'],
    reference: envBraces,
    entry: http
  },
  {
    name: 'opencode',
    title: 'opencode',
    programs: ['opencode'],
    traces: machine => [pathsOf(machine).join(xdgFolder(machine), 'opencode')],
    format: 'json',
    servers: ['mcp'],
    user: machine =>
      ['opencode.json', 'opencode.jsonc'].map(file => pathsOf(machine).join(xdgFolder(machine), 'opencode', file)),
    project: ['opencode.json'],
    reference: variable => `{env:${variable}}`,
    // Otherwise it asks a server without OAuth how to sign in.
    entry: ({ url }, headers) => ({ type: 'remote', url, headers, oauth: false, enabled: true })
  },
  {
    name: 'copilot',
    title: 'Copilot CLI',
    programs: ['copilot'],
    traces: machine => [folderOf(machine, 'COPILOT_HOME', '.copilot')],
    format: 'json',
    servers: ['mcpServers'],
    user: machine => [pathsOf(machine).join(folderOf(machine, 'COPILOT_HOME', '.copilot'), 'mcp-config.json')],
    // It reads .mcp.json too, but there its entry would be another one than that of Claude Code.
    project: ['.github', 'mcp.json'],
    reference: braces,
    entry: (connection, headers) => ({ ...http(connection, headers), tools: ['*'] }),
    project_note: 'Copilot CLI reads the file of a project only in a folder that you trust.'
  },
  {
    name: 'qwen',
    title: 'Qwen Code',
    programs: ['qwen'],
    traces: machine => [inHome(machine, '.qwen')],
    format: 'json',
    servers: ['mcpServers'],
    user: machine => [inHome(machine, '.qwen', 'settings.json')],
    project: ['.qwen', 'settings.json'],
    reference: dollar,
    entry: ({ url }, headers) => ({ httpUrl: url, headers }),
    project_note: 'Qwen Code wants your word for the servers of a project: qwen mcp approve shared-context.'
  },
  {
    name: 'windsurf',
    title: 'Windsurf',
    programs: ['windsurf'],
    traces: machine => [inHome(machine, '.codeium', 'windsurf')],
    format: 'json',
    servers: ['mcpServers'],
    user: machine => [inHome(machine, '.codeium', 'windsurf', 'mcp_config.json')],
    entry: ({ url }, headers) => ({ serverUrl: url, headers })
  },
  {
    name: 'cline',
    title: 'Cline in VS Code',
    programs: [],
    traces: machine => [clineFolder(machine)],
    format: 'json',
    servers: ['mcpServers'],
    user: machine => [pathsOf(machine).join(clineFolder(machine), 'settings', 'cline_mcp_settings.json')],
    entry: ({ url }, headers) => ({ type: 'streamableHttp', url, headers })
  },
  {
    name: 'cline-cli',
    title: 'Cline CLI',
    programs: ['cline'],
    traces: machine => [inHome(machine, '.cline')],
    format: 'json',
    servers: ['mcpServers'],
    user: machine => [inHome(machine, '.cline', 'data', 'settings', 'cline_mcp_settings.json')],
    entry: ({ url }, headers) => ({ type: 'streamableHttp', url, headers })
  },
  {
    name: 'zed',
    title: 'Zed',
    programs: ['zed', 'zeditor'],
    traces: machine => [zedFolder(machine)],
    format: 'json',
    servers: ['context_servers'],
    user: machine => [pathsOf(machine).join(zedFolder(machine), 'settings.json')],
    entry: ({ url }, headers) => ({ url, headers })
  },
  {
    name: 'claude-desktop',
    title: 'Claude Desktop',
    programs: [],
    traces: machine => [pathsOf(machine).join(settingsFolder(machine), 'Claude')],
    format: 'json',
    servers: ['mcpServers'],
    user: machine => [pathsOf(machine).join(settingsFolder(machine), 'Claude', 'claude_desktop_config.json')],
    entry: ({ stdio: { command, args, env } }) => ({ command, args: [...args], env: { ...env } }),
    note: 'Claude Desktop starts the program itself, on the data of this machine. Restart it to load the file.'
  }
]

/** Coding agents whose entry starts the program here, and so cannot reach a server elsewhere. */
export const startsProgram = (agent: CodingAgent): boolean => agent.name === 'claude-desktop'

function claudeFile(machine: Machine): string {
  const folder = machine.env.CLAUDE_CONFIG_DIR
  return folder === undefined ? inHome(machine, '.claude.json') : pathsOf(machine).join(folder, '.claude.json')
}

function clineFolder(machine: Machine): string {
  return pathsOf(machine).join(codeFolder(machine), 'globalStorage', 'saoudrizwan.claude-dev')
}

function zedFolder(machine: Machine): string {
  if (machine.platform === 'win32') return pathsOf(machine).join(settingsFolder(machine), 'Zed')
  return pathsOf(machine).join(xdgFolder(machine), 'zed')
}
