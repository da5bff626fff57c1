import { type As, ok, type TestApp } from '../helper.js'

/** A key for one agent, and a token that was made with it. @param admin makes the key */
export async function boundKey(app: TestApp, admin: As): Promise<{ api_key: string; key_id: string; token: string }> {
  const agent = { agent_id: 'bound', agent_type: 'custom' }
  const { api_key, key_id } = await ok(app, 'create_api_key', agent, admin)
  const { token } = await ok(app, 'authenticate_agent', { ...agent, api_key }, { anonymous: true })
  return { api_key, key_id, token }
}
