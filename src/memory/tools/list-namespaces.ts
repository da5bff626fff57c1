import { Type } from '@sinclair/typebox'
import { needWholeWorkspace } from '../../agents/whole-workspace.js'
import { Nullable, pageFields } from '../../kernel/answer-shapes.js'
import { fitting } from '../../kernel/answer-size.js'
import { foreignCursor, openCursor, sealCursor } from '../../kernel/cursor.js'
import { EmptyIsAbsent, Repair, Whole } from '../../kernel/schema.js'
import { Cursor, input, Limit, output, Text } from '../../kernel/shapes.js'
import { composed, hasControlCharacters } from '../../kernel/text.js'
import { defineTool } from '../../kernel/tool.js'
import { NAMESPACE_MAX, namespaceOf } from '../namespace.js'
import { listNamespaces as list } from '../store/namespace-list.js'

const NAME = 'list_namespaces'

const part = (description: string) =>
  Type.Optional(
    Text(1, NAMESPACE_MAX, description, {
      is: value => !hasControlCharacters(value),
      but: ', without control characters',
      [EmptyIsAbsent]: true,
      [Repair]: value => (typeof value === 'string' ? composed(value) : value)
    })
  )

const Names = Type.Array(Type.String())

export const listNamespaces = defineTool({
  name: NAME,
  title: 'List shared namespaces',
  description:
    'The namespaces of memory that you may read: those with rights of their own, and those that hold values.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({
    prefix: part('Only names that begin with exactly this'),
    suffix: part('Only names that end with exactly this'),
    depth: Type.Optional(
      Whole({ minimum: 1, maximum: 8, description: 'Cut names to so many parts; each then comes once' })
    ),
    limit: Limit(100, 500),
    cursor: Cursor
  }),
  output: output({
    namespaces: Type.Array(
      Type.Object({
        namespace: Type.String(),
        owner: { ...Nullable(Type.String()), description: 'Null: it has no rights of its own, but those from above' },
        readers: Names,
        writers: Names
      })
    ),
    ...pageFields
  }),
  async handler({ prefix, suffix, depth, limit = 100, cursor }, { db, agent }) {
    needWholeWorkspace(agent)
    const listOf = [NAME, prefix, suffix, depth]
    const after = cursor === undefined ? undefined : pathIn(openCursor(listOf, cursor))
    const { rows, stopped } = await list(db, agent, { prefix, suffix, depth, limit, after })
    const page = rows.slice(0, limit)
    const shown = page.slice(0, fitting(page))
    const end = rows.length > shown.length ? shown.at(-1)?.path : stopped
    return {
      namespaces: shown.map(({ path, owner, readers, writers }) => ({
        namespace: namespaceOf(path),
        owner,
        readers: readers ?? [],
        writers: writers ?? []
      })),
      count: shown.length,
      has_more: end !== undefined,
      next_cursor: end === undefined ? null : sealCursor(listOf, [end])
    }
  }
})

function pathIn([path]: readonly unknown[]): string {
  if (typeof path === 'string' && /^\/[^\p{Cc}\p{Cs}]{1,1000}\/$/u.test(path)) return path
  throw foreignCursor()
}
