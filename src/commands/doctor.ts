import { examineKey, examineServer } from '../connect/diagnose.js'
import { examineCodingAgents } from '../connect/examine-agents.js'
import { fault, type Finding } from '../connect/finding.js'
import { examineNetwork } from '../connect/examine-network.js'
import { printable } from '../kernel/text.js'
import { commandLine, version } from '../version.js'
import { verb, type Verbs } from './command.js'
import { thisMachine } from './connect.js'
import { CONNECTION, connectionOf } from './connection.js'
import { localApiKey } from './local-keys.js'
import { isLoopback, isOwnKey, urlOption } from './server-address.js'

export const verbs: Verbs = {
  '': verb({
    summary: 'Finds out why a server cannot be used from here, and what to do: network, key, clock, coding agents.',
    options: { ...CONNECTION, json: { type: 'boolean', description: 'print one JSON object' } },
    async run({ json, ...options }) {
      const { url: address, api_key: given, agent_id, agent_type } = await connectionOf(options)
      const url = address.replace(/\/+$/, '')
      const api_key = given ?? (isLoopback(url) ? (await localApiKey(url))?.key : undefined)
      const findings = await examineNetwork(url)
      if (findings.every(({ ok }) => ok)) findings.push(...(await examineServer(url, version)))
      const answers = findings.some(({ step, ok }) => step === 'server' && ok)
      if (answers)
        findings.push(
          ...(api_key === undefined
            ? [NO_KEY]
            : await examineKey({
                url,
                api_key,
                agent_id: agent_id ?? (isOwnKey(api_key) ? undefined : 'doctor'),
                agent_type
              }))
        )
      const agents = await examineCodingAgents(
        thisMachine(),
        url,
        name => `${commandLine} connect ${name}${urlOption(url)}`
      )
      const ok = [...findings, ...agents].every(finding => finding.ok)
      if (json) console.log(JSON.stringify({ ok, url, checks: findings, coding_agents: agents }))
      else print(url, findings, agents)
      if (!ok) process.exitCode = 1
    }
  })
}

const NO_KEY = fault(
  'key',
  'There is no API key to try.',
  'Set SHARED_CONTEXT_API_KEY, or name a profile with --profile.'
)

function print(url: string, findings: Finding[], agents: Finding[]): void {
  const width = Math.max(...[...findings, ...agents].map(({ step }) => step.length))
  const lines = (list: Finding[]) =>
    list.flatMap(({ step, ok, says, advice }) => [
      `${ok ? 'ok   ' : 'FAULT'} ${step.padEnd(width)}  ${says}`,
      ...(advice === undefined ? [] : [`${' '.repeat(width + 8)}${advice}`])
    ])
  const all = [url, '', ...lines(findings), ...(agents.length > 0 ? ['', ...lines(agents)] : [])]
  console.log(all.map(printable).join('\n'))
}
