import t from 'tap'
import { call, ok, startApp } from '../helper.js'
import { createRandom, seedOf } from '../replicas/random.js'

/**
 * Random steps against a model in memory, on two replicas: what is stored where, in which version, and who may read and
 * write it. SEED and STEPS say how; `STEPS=20000` is the long run.
 */

const SEED = seedOf()
const STEPS = Number(process.env.STEPS ?? 1500)
const AGENTS = ['a', 'b', 'c'].map((agent_id, i) => ({ agent_id, agent_type: i === 2 ? 'odd' : 'even' }))
const KEYS = ['k', 'k1', 'k2', 'x']
const NAMESPACES = ['n', 'n/p', 'n/p/q', 'm', 'm/p']
const NAMES = ['a', 'b', 'c', 'type:even', 'type:odd', '*']

type Agent = (typeof AGENTS)[number]
interface Value {
  value: any
  /** The versions before it and its own, the oldest first. */
  versions: Array<{ version: number; value: unknown; changed_by: string }>
}

t.test(`memory and its model, SEED=${SEED}, STEPS=${STEPS}`, { timeout: 1_800_000 }, async t => {
  const app = await startApp(t)
  const other = await startApp(t, {}, { url: app.url })
  const random = createRandom(SEED)
  /** By place and key: a place is an agent_id, or a namespace with a slash before it. */
  const stored = new Map<string, Value>()
  const rights = new Map<string, { owner: string; readers: string[]; writers: string[] }>()
  const largest = new Map<string, number>()
  let step = 0

  const above = (namespace: string) =>
    namespace.split('/').flatMap((_, i, parts) => rights.get(parts.slice(0, i + 1).join('/')) ?? [])
  const rootOf = (namespace: string) => namespace.split('/')[0] as string
  const names = ({ agent_id, agent_type }: Agent) => [agent_id, `type:${agent_type}`, '*']
  const owns = (who: Agent, namespace: string) => above(namespace).some(({ owner }) => owner === who.agent_id)
  const writes = (who: Agent, namespace: string) =>
    owns(who, namespace) || above(namespace).some(({ writers }) => writers.some(name => names(who).includes(name)))
  const reads = (who: Agent, namespace: string) =>
    writes(who, namespace) || above(namespace).some(({ readers }) => readers.some(name => names(who).includes(name)))

  const choose = () => {
    const who = random.pick(AGENTS)
    const namespace = random.chance(0.7) ? random.pick(NAMESPACES) : undefined
    const key = random.pick(KEYS)
    const place = namespace === undefined ? who.agent_id : `/${namespace}`
    const id = (of = key) => `${place}\n${of}`
    const known = namespace === undefined || rights.has(rootOf(namespace))
    return {
      who,
      namespace,
      key,
      place,
      id,
      args: { key, ...(namespace !== undefined && { namespace }) },
      mayRead: namespace === undefined || reads(who, namespace),
      // The first write makes the namespace.
      mayWrite: namespace === undefined || !known || writes(who, namespace)
    }
  }
  const ask = async (tool: string, args: object, who: Agent) =>
    (await call(random.chance(0.5) ? app : other, tool, args, who)).body
  const makeRoot = (namespace: string | undefined, who: Agent) => {
    if (namespace !== undefined && !rights.has(rootOf(namespace)))
      rights.set(rootOf(namespace), { owner: who.agent_id, readers: [], writers: [] })
  }
  const put = (id: string, value: unknown, version: number, who: Agent) => {
    if (version <= (largest.get(id) ?? 0)) t.fail(`step ${step}: versions grow`)
    largest.set(id, version)
    const versions = [...(stored.get(id)?.versions ?? []), { version, value, changed_by: who.agent_id }].slice(-20)
    stored.set(id, { value, versions })
  }
  const versionAt = (id: string) => stored.get(id)?.versions.at(-1)?.version ?? 0
  /** Now the version, now an older one, now none. */
  const anyVersion = (id: string) =>
    random.pick([
      undefined,
      undefined,
      0,
      versionAt(id),
      versionAt(id),
      (stored.get(id)?.versions[0]?.version ?? 1) + 0
    ])

  const steps: Record<string, () => Promise<void>> = {
    async set() {
      const { who, namespace, args, id, mayWrite } = choose()
      const if_version = anyVersion(id())
      const overwrite = random.chance(0.8)
      const value = random.pick([step, `text ${step}`, [step], { step }])
      const body = await ask('set_memory', { ...args, value, if_version, overwrite }, who)
      const now = versionAt(id())
      const expected = !mayWrite
        ? 'PERMISSION_DENIED'
        : !overwrite && now > 0
          ? 'KEY_EXISTS'
          : if_version !== undefined && if_version !== now
            ? 'VERSION_CONFLICT'
            : 'success'
      t.equal(body.code ?? 'success', expected, `step ${step}: set`)
      if (expected === 'VERSION_CONFLICT') t.equal(body.context.version, now)
      if (body.success !== true) return
      makeRoot(namespace, who)
      put(id(), value, body.version, who)
    },
    async update() {
      const { who, namespace, args, id, mayWrite } = choose()
      const before = stored.get(id())?.value
      const op = random.pick(['increment', 'append', 'merge'])
      const value: any = op === 'increment' ? 1 : op === 'append' ? step : { [`f${step % 3}`]: step }
      const fits =
        before === undefined ||
        (op === 'increment' && typeof before === 'number') ||
        (op === 'append' && Array.isArray(before)) ||
        (op === 'merge' && typeof before === 'object' && !Array.isArray(before))
      const body = await ask('update_memory', { ...args, op, value }, who)
      const expected = !mayWrite ? 'PERMISSION_DENIED' : fits ? 'success' : 'INVALID_INPUT'
      t.equal(body.code ?? 'success', expected, `step ${step}: ${op}`)
      if (body.success !== true) return
      const after =
        op === 'increment' ? (before ?? 0) + 1 : op === 'append' ? [...(before ?? []), value] : { ...before, ...value }
      t.same(body.value, after, `step ${step}: ${op}`)
      makeRoot(namespace, who)
      put(id(), after, body.version, who)
    },
    async get() {
      const { who, args, id, mayRead } = choose()
      const body = await ask('get_memory', args, who)
      const found = mayRead ? stored.get(id()) : undefined
      if (found === undefined) t.equal(body.code, 'MEMORY_NOT_FOUND', `step ${step}: get`)
      else {
        const { version, value, changed_by: updated_by } = found.versions.at(-1) as Value['versions'][number]
        t.match(body, { version, value, updated_by }, `step ${step}: get`)
      }
    },
    async history() {
      const { who, args, id, mayRead } = choose()
      const body = await ask('memory_history', args, who)
      const found = mayRead ? stored.get(id()) : undefined
      if (found === undefined) t.equal(body.code, 'MEMORY_NOT_FOUND', `step ${step}: history`)
      else
        t.same(
          body.versions.map(({ changed_at: _, ...one }: any) => one),
          [...found.versions].reverse(),
          `step ${step}: history`
        )
    },
    async list() {
      const { who, namespace, place, mayRead } = choose()
      const body = await ask('list_memory', { namespace, order: 'key', prefix: 'k', include_values: true }, who)
      const found = [...stored].filter(([id]) => mayRead && id.startsWith(`${place}\nk`))
      t.same(
        body.entries.map(({ key, value }: any) => [key, value]),
        found.map(([id, { value }]) => [id.split('\n')[1], value]).sort(([x], [y]) => (x < y ? -1 : 1)),
        `step ${step}: list`
      )
    },
    async remove() {
      const { who, namespace, key, args, place, id, mayRead, mayWrite } = choose()
      const many = random.chance(0.3)
      const body = await ask('delete_memory', many ? { namespace, prefix: 'k' } : args, who)
      const denied = namespace !== undefined && mayRead && !mayWrite
      t.equal(body.code ?? 'success', denied ? 'PERMISSION_DENIED' : 'success', `step ${step}: delete`)
      if (denied) return
      const gone = mayRead
        ? [...stored.keys()].filter(one => (many ? one.startsWith(`${place}\nk`) : one === id(key)))
        : []
      t.equal(body.count, gone.length, `step ${step}: delete`)
      for (const one of gone) stored.delete(one)
    },
    async batch() {
      const { who, namespace, id, mayWrite } = choose()
      const keys = [...KEYS, random.pick(KEYS)]
      const wrong = random.chance(0.3) ? random.between(0, keys.length) : -1
      const operations = keys.map((key, i) => ({
        op: 'set',
        key,
        value: `${step} ${i}`,
        namespace,
        ...(i === wrong && { if_version: 1e15 })
      }))
      const body = await ask('batch_memory', { operations }, who)
      const expected = !mayWrite ? 'PERMISSION_DENIED' : wrong >= 0 ? 'VERSION_CONFLICT' : 'success'
      t.equal(body.code ?? 'success', expected, `step ${step}: batch`)
      if (body.success !== true) return
      makeRoot(namespace, who)
      for (const [i, key] of keys.entries()) put(id(key), `${step} ${i}`, body.results[i].version, who)
    },
    async rights() {
      const who = random.pick(AGENTS)
      const namespace = random.pick(NAMESPACES)
      const some = () => NAMES.filter(() => random.chance(0.2))
      const [readers, writers] = [some(), some()]
      const may = !rights.has(rootOf(namespace)) || owns(who, namespace)
      const body = await ask('set_namespace', { namespace, readers, writers }, who)
      t.equal(body.code ?? 'success', may ? 'success' : 'PERMISSION_DENIED', `step ${step}: rights`)
      if (!may) return
      makeRoot(namespace, who)
      rights.set(namespace, { owner: rights.get(namespace)?.owner ?? who.agent_id, readers, writers })
    },
    async namespaces() {
      const who = random.pick(AGENTS)
      const { namespaces } = await ok(app, 'list_namespaces', {}, who)
      const inUse = new Set([
        ...rights.keys(),
        ...[...stored.keys()].filter(id => id.startsWith('/')).map(id => id.slice(1).split('\n')[0] as string)
      ])
      t.same(
        namespaces.map((one: any) => one.namespace),
        [...inUse].filter(namespace => reads(who, namespace)).sort(),
        `step ${step}: list_namespaces`
      )
    }
  }
  const often = ['set', 'set', 'set', 'update', 'update', 'get', 'get', 'history', 'list', 'batch', 'namespaces']

  for (step = 0; step < STEPS; step++) {
    const name = random.chance(0.04) ? 'rights' : random.chance(0.06) ? 'remove' : random.pick(often)
    await (steps[name] as () => Promise<void>)()
    if (!t.passing()) break
  }
  t.comment(`${stored.size} values, ${rights.size} namespaces with rights`)
})
