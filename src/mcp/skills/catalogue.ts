import { type Skill, skillEntry } from '@modelcontextprotocol/server/ext/skills'
import { SKILLS } from './texts.js'

/** The name of the extension, as the server declares it. */
export { SKILLS_EXTENSION_ID } from '@modelcontextprotocol/server/ext/skills'

/** Milliseconds that a client may keep a list: the skills change with the version of the server. */
const TTL_MS = 3_600_000
const CACHE = { ttlMs: TTL_MS, cacheScope: 'public' }

let entries: Promise<Skill[]> | undefined

/** Every skill with the digest of its file, computed once. */
async function skills(): Promise<Skill[]> {
  entries ??= Promise.all(Object.entries(SKILLS).map(([name, text]) => skillEntry(name, { 'SKILL.md': text })))
  return entries
}

export async function listSkills(): Promise<Record<string, unknown>> {
  return { skills: await skills(), ...CACHE }
}

/** @returns undefined if there is no skill at the address */
export async function getSkill(uri: string): Promise<Record<string, unknown> | undefined> {
  const skill = (await skills()).find(one => one.uri === uri)
  return skill && { skill, ...CACHE }
}
