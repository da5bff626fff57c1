import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TSchema } from '@sinclair/typebox'
import { describeService } from '../src/commands/describe.js'
import { openApi, plain } from '../src/http/openapi.js'
import { Message, Session, SessionSummary } from '../src/kernel/answer-shapes.js'
import { errorKinds } from '../src/kernel/errors.js'
import type { Tool } from '../src/kernel/tool.js'
import { Task } from '../src/tasks/task-shapes.js'
import { version } from '../src/version.js'
import { allowsNull, methodsOf, type Style } from './python/methods.js'
import { createModels, typesOf } from './python/models.js'
import { inputOf, type Operation, operationsOf, pascal, type Paths, type Schema, wrapped } from './python/schema.js'

/**
 * Writes what the Python client has of the OpenAPI page: clients/python/src/shared_context/_generated. `npm run docs`
 * writes it; test/docs/python-client.test.ts compares it with what is committed.
 */

const FOLDER = join(import.meta.dirname, '..', 'clients/python/src/shared_context/_generated')
const HEAD = '# Generated from the OpenAPI page by `npm run docs`; edit the tools in src/ of the server instead.\n'
/** Shapes that many answers have in common, and what they are called. */
const NAMED: ReadonlyArray<readonly [string, TSchema]> = [
  ['Message', Message],
  ['Session', Session],
  ['SessionSummary', SessionSummary],
  ['Task', Task]
]
/** What the errors of one HTTP status have in common. */
const FAMILIES: Partial<Record<number, string>> = {
  400: 'RequestError',
  401: 'CredentialsError',
  404: 'NotFoundError',
  413: 'RequestError',
  415: 'RequestError',
  429: 'BusyError',
  503: 'BusyError'
}

const { kernel } = await describeService()
const operations = operationsOf(openApi(kernel.described, version).paths as Paths)
const models = createModels(NAMED.map(([name, schema]) => [name, plain(schema) as Schema]))
const types = operations.map(operation => ({ operation, types: typesOf(operation, models) }))

/** The files, by their names. */
export const FILES: Record<string, string> = {
  'models.py': modelsFile(),
  'tools.py': methodsFile('sync'),
  'async_tools.py': methodsFile('async'),
  'catalogue.py': catalogueFile(),
  'error_codes.py': errorsFile()
}

export function committed(name: string): string {
  return readFileSync(join(FOLDER, name), 'utf8')
}

function modelsFile(): string {
  return `${HEAD}"""The objects of the server's answers and arguments, as the dicts that they are."""

from typing import Any, Literal, TypedDict

${[...models.classes.values()].map(each => `\n${each}\n`).join('\n')}`
}

function methodsFile(style: Style): string {
  const methods = types.map(({ operation, types }) => methodsOf(operation, types, style)).join('\n\n')
  const used = [...models.classes.keys()].filter(name => new RegExp(`\\b${name}\\b`).test(methods)).sort()
  const [iterator, name, coroutine] =
    style === 'async' ? ['AsyncIterator', 'AsyncToolMethods', 'async '] : ['Iterator', 'ToolMethods', '']
  return `${HEAD}"""A method for each tool of the server."""

from collections.abc import ${iterator}, Mapping
from typing import Any, Literal, cast

from .._not_given import NOT_GIVEN
from .models import (
${used.map(each => `    ${each},`).join('\n')}
)


class ${name}:
    """The tools of the server, one method each. Whoever inherits it says how a tool is called."""

    ${coroutine}def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def pages(self, tool: str, field: str, arguments: Mapping[str, Any]) -> ${iterator}[Any]:
        raise NotImplementedError

${methods}
`
}

function catalogueFile(): string {
  const lines = types.map(({ operation }) => {
    const facts = factsOf(operation)
    return `    "${operation.operationId}": Tool(${facts.join(', ')}),`
  })
  const nullable = operations.flatMap(operation =>
    Object.entries(inputOf(operation).properties ?? {}).flatMap(([name, schema]) => (allowsNull(schema) ? name : []))
  )
  return `${HEAD}"""What a client must know of each tool to call it well."""

from typing import NamedTuple


class Tool(NamedTuple):
    """How a tool is called."""

    # Whether it is called once at most: its answer holds a secret, or it ends what a second call would need.
    once: bool = False
    # Whether it takes an idempotency_key.
    keyed: bool = False
    # The argument that says for how many seconds the call waits, and its default.
    wait: tuple[str, float] | None = None


# Arguments of which null is a value. For any other, null means that it is not given.
NULL_IS_VALUE = frozenset({${[...new Set(nullable)].map(name => `"${name}"`).join(', ')}})

TOOLS: dict[str, Tool] = {
${lines.join('\n')}
}
`
}

function factsOf({ operationId, ...operation }: Operation): string[] {
  const { properties = {} } = inputOf({ operationId, ...operation })
  const tool: Tool | undefined = kernel.described.find(({ tool }) => tool.name === operationId)?.tool
  const wait = ['timeout_seconds', 'wait_seconds'].find(name => name in properties)
  return [
    ...(tool?.secret === true || operationId === 'revoke_token' ? ['once=True'] : []),
    ...('idempotency_key' in properties ? ['keyed=True'] : []),
    ...(wait === undefined ? [] : [`wait=("${wait}", ${Number(properties[wait]?.default ?? 0)})`])
  ]
}

function errorsFile(): string {
  const kinds = Object.entries(errorKinds).map(([code, kind]) => {
    const words = pascal(code.toLowerCase())
    return { code, kind, name: words.endsWith('Error') ? words : `${words}Error` }
  })
  const classes = kinds.map(({ code, kind: { status, meaning }, name }) => {
    const family = code === 'QUOTA_EXCEEDED' ? 'ServerError' : (FAMILIES[status] ?? 'ServerError')
    const [first = '', ...rest] = wrapped(meaning, 108)
    const docstring =
      rest.length === 0 ? [`    """${first}"""`] : [`    """${first}`, ...rest.map(line => `    ${line}`), '    """']
    return `class ${name}(${family}):\n${docstring.join('\n')}\n\n    code = "${code}"`
  })
  return `${HEAD}"""An exception for each code with which the server refuses a call."""

from .._base_errors import BusyError, CredentialsError, NotFoundError, RequestError, ServerError


${classes.join('\n\n\n')}


BY_CODE: dict[str, type[ServerError]] = {
${kinds.map(({ code, name }) => `    "${code}": ${name},`).join('\n')}
}
`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(FOLDER, name), text)
