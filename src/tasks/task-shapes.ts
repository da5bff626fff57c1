import { type Static, type TObject, Type } from '@sinclair/typebox'
import { Allowed, AnyValueField, Checked, EmptyIsAbsent, HoldsText, OneOf, Whole } from '../kernel/schema.js'
import { AnyObject, Nullable, Time } from '../kernel/answer-shapes.js'
import { Metadata } from '../kernel/metadata-shapes.js'
import { Addressees } from '../kernel/message-shapes.js'
import { OptionalSessionId, Text } from '../kernel/shapes.js'
import { TASK_STATES } from '../kernel/task-states.js'

/** The shapes that the tools of tasks share. */

function TaskRef(description: string) {
  return Checked<string>(
    { type: 'string', pattern: '^task_[0-9a-f]{16}$', description },
    value => typeof value === 'string' && value.length <= 300,
    { [EmptyIsAbsent]: true, [Allowed]: 'a task_id as create_task returned it' }
  )
}

export const TaskId = TaskRef('The task')
export const OptionalTaskId = (description: string) => Type.Optional(TaskRef(description))

export const LeaseToken = Whole({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'lease.token of claim_task'
})

const TITLE_MAX = 300
const TEXT_MAX = 100_000
const NOTE_MAX = 10_000

export const Title = Text(1, TITLE_MAX, 'What to do, in a line', { [HoldsText]: true })
export const Description = Text(0, TEXT_MAX, 'All that it takes', { [HoldsText]: true })
export const Note = (description: string) => Text(1, NOTE_MAX, description, { [HoldsText]: true })
export const StateWord = (description: string) => OneOf(TASK_STATES, { description })

const DEPENDENCIES_MAX = 100

export const Priority = (fallback?: number) =>
  Whole({
    minimum: -100,
    maximum: 100,
    description: 'Higher ones go first',
    ...(fallback !== undefined && { default: fallback })
  })

const DEFAULTS = { priority: 0, max_attempts: 3, lease_seconds: 300 }

/** What a new task is made of. @param depends what depends_on may name */
export function draftFields(depends: string) {
  return {
    title: Title,
    description: Type.Optional(Description),
    session_id: OptionalSessionId('the workspace'),
    to: Addressees('Who alone may see and claim it'),
    depends_on: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
        minItems: 1,
        maxItems: DEPENDENCIES_MAX,
        description: `What must be completed before: ${depends}`
      })
    ),
    priority: Type.Optional(Priority(DEFAULTS.priority)),
    max_attempts: Type.Optional(
      Whole({
        minimum: 1,
        maximum: 100,
        default: DEFAULTS.max_attempts,
        description: 'Most tries'
      })
    ),
    lease_seconds: Type.Optional(
      Whole({
        minimum: 1,
        maximum: 86_400,
        default: DEFAULTS.lease_seconds,
        description: 'Seconds a claim lasts'
      })
    ),
    metadata: Metadata('Anything about the task')
  }
}

export type Draft = Static<TObject<ReturnType<typeof draftFields>>>

/**
 * A task as it is written, with what its creator left out.
 * @param depends_on ids of tasks that are there, and of others of the same call
 */
export function taskOf(draft: Draft, id: string, depends_on = draft.depends_on ?? []) {
  const { title, description = '', session_id = '', to = [], metadata = {} } = draft
  const { priority, max_attempts, lease_seconds } = { ...DEFAULTS, ...draft }
  return {
    id,
    title,
    description,
    session_id,
    addressees: [...new Set(to)],
    depends_on: [...new Set(depends_on)],
    priority,
    max_attempts,
    lease_seconds,
    metadata
  }
}
export type NewTask = ReturnType<typeof taskOf>

export const Task = Type.Object({
  task_id: Type.String(),
  title: Type.String(),
  description: Type.String(),
  state: OneOf(TASK_STATES),
  session_id: Nullable(Type.String()),
  to: Type.Array(Type.String()),
  depends_on: Type.Array(Type.String()),
  priority: Type.Integer(),
  attempts: Type.Integer({ description: 'How often it has failed, or its lease has ended' }),
  max_attempts: Type.Integer(),
  lease_seconds: Type.Integer(),
  created_by: Type.String(),
  assignee: { ...Nullable(Type.String()), description: 'Who holds it, or held it last' },
  result: { ...AnyValueField, description: 'What complete_task brought; null until then' },
  error: { ...Nullable(Type.String()), description: 'Why it failed the last time' },
  note: { ...Nullable(Type.String()), description: 'What the last one who released it wants the next one to know' },
  metadata: AnyObject,
  created_at: Time,
  updated_at: Time
})
export type TaskView = Static<typeof Task>

export const Lease = Type.Object(
  {
    token: Type.Integer({ description: 'Proves that you hold the task; grows with every claim' }),
    expires_at: { ...Time, description: 'When the task goes back, by the clock of the database' }
  },
  { description: 'Your hold on the task' }
)
