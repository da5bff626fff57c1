import { join } from 'node:path'
import { ROOT } from '../helper.js'

/** How to run a coding agent of npm without an account: with a model on this machine. */
export interface Cli {
  /** Instead of `connect`, it gets the server by a plugin of ours, and this is what the row is called. */
  plugin?: string
  /** Its name in the table of coding agents. */
  agent: string
  packages: string[]
  /** What its install script would have run, below the folder of packages; npm runs none. */
  after?: string
  program: string
  env?: (model: string) => Record<string, string>
  /** Files below the home folder that it needs beforehand. */
  files?: (model: string, work: string) => Record<string, string>
  /** Lists its MCP servers; and how it says that one is connected. */
  list?: string[]
  connected?: RegExp
  /** What that means, where it does not say whether it is connected. */
  says?: 'listed' | 'enabled'
  /** Says that a project's servers may be used. */
  approve?: string[]
  /** Asks its model one thing. */
  prompt?: string[]
}

const KEY = 'no-secret-for-a-model-on-this-machine'

const PLUGIN = join(ROOT, 'clients', 'claude-code-plugin')

const claudeCode: Cli = {
  agent: 'claude-code',
  packages: ['@anthropic-ai/claude-code@2.1.328'],
  after: '@anthropic-ai/claude-code/install.cjs',
  program: 'claude',
  env: model => ({
    ...{ ANTHROPIC_BASE_URL: model, ANTHROPIC_API_KEY: KEY, DISABLE_AUTOUPDATER: '1' },
    ...{ CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', ENABLE_TOOL_SEARCH: 'false' }
  }),
  // Otherwise it asks before it uses what a project brings.
  files: () => ({ '.claude/settings.json': '{ "enableAllProjectMcpServers": true }\n' }),
  list: ['mcp', 'list'],
  connected: /shared-context: .*Connected/,
  prompt: ['-p', 'Say something.']
}

export const clis: readonly Cli[] = [
  claudeCode,
  {
    ...claudeCode,
    plugin: 'Claude Code, by the plugin',
    files: undefined,
    list: undefined,
    prompt: ['--plugin-dir', PLUGIN, '-p', 'Say something.']
  },
  {
    agent: 'codex',
    packages: ['@openai/codex@0.169.0'],
    program: 'codex',
    env: () => ({ SCRIPTED_KEY: KEY }),
    files: (model, work) => ({
      '.codex/config.toml': `# of this run
model = "scripted"
model_provider = "scripted"

[model_providers.scripted]
name = "scripted"
base_url = "${model}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"

[projects."${work}"]
trust_level = "trusted"
`
    }),
    list: ['mcp', 'list'],
    connected: /shared-context .*enabled/,
    says: 'enabled',
    prompt: ['exec', '--skip-git-repo-check', '--dangerously-bypass-hook-trust', 'Say something.']
  },
  {
    agent: 'gemini',
    packages: ['@google/gemini-cli@0.61.0'],
    program: 'gemini',
    files: () => ({ '.gemini/settings.json': '{ "security": { "auth": { "selectedType": "gemini-api-key" } } }\n' }),
    env: model => ({ GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: model, GEMINI_CLI_TRUST_WORKSPACE: 'true' }),
    list: ['mcp', 'list'],
    connected: /shared-context: .*Connected/,
    prompt: ['-m', 'gemini-2.5-flash', '--approval-mode', 'yolo', '-p', 'Say something.']
  },
  {
    agent: 'opencode',
    packages: ['opencode-ai@1.18.33'],
    after: 'opencode-ai/postinstall.mjs',
    program: 'opencode',
    env: () => ({ OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' }),
    files: model => ({
      '.config/opencode/opencode.json': `{
  // of this run
  "model": "scripted/scripted",
  "provider": {
    "scripted": {
      "npm": "@ai-sdk/openai-compatible",
      "options": { "baseURL": "${model}/v1", "apiKey": "${KEY}" },
      "models": { "scripted": {} },
    },
  },
}
`
    }),
    list: ['mcp', 'list'],
    connected: /shared-context.*connected/,
    prompt: ['run', 'Say something.']
  },
  {
    agent: 'copilot',
    packages: ['@github/copilot@1.0.102'],
    program: 'copilot',
    env: model => ({
      ...{ COPILOT_PROVIDER_BASE_URL: `${model}/v1`, COPILOT_MODEL: 'scripted', COPILOT_AUTO_UPDATE: 'false' },
      ...{ COPILOT_PROVIDER_API_KEY: KEY, COPILOT_OFFLINE: 'true' }
    }),
    files: (_model, work) => ({ '.copilot/config.json': JSON.stringify({ trustedFolders: [work] }) }),
    list: ['mcp', 'list'],
    connected: /shared-context/,
    says: 'listed',
    prompt: ['-p', 'Say something.', '--allow-all-tools']
  },
  {
    agent: 'qwen',
    packages: ['@qwen-code/qwen-code@0.24.4'],
    program: 'qwen',
    env: model => ({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `${model}/v1`, OPENAI_MODEL: 'scripted' }),
    approve: ['mcp', 'approve', 'shared-context'],
    list: ['mcp', 'list'],
    connected: /shared-context: .*Connected/,
    prompt: ['-p', 'Say something.']
  },
  {
    agent: 'cline-cli',
    packages: ['cline@3.0.65'],
    program: 'cline',
    list: ['config', 'mcp'],
    connected: /shared-context/,
    says: 'listed'
  }
]
