import { useState } from 'preact/hooks'
import { Link } from 'wouter-preact'
import type { TaskView } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { Dialog } from '../parts/dialog.js'
import { useLoaded } from '../parts/load.js'
import { Markdown } from '../parts/markdown.js'
import { Failure } from '../parts/notes.js'
import { visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import { STATE_NAMES, StateBadge } from './task-state.js'
import { type Act, TaskAct } from './task-act.js'

/** States in which somebody holds a task. */
const HELD: ReadonlyArray<string | null> = ['working', 'input_required']
const ENDED = ['completed', 'failed', 'canceled']

/** All of a task, what happened to it, and what one may do about it. */
export function TaskDialog({
  task_id,
  changed_at,
  titles,
  onChange,
  onOpen,
  onClose
}: {
  task_id: string
  /** When it changed last, as the board knows: then it is read again. */
  changed_at: string | undefined
  titles: ReadonlyMap<string, string>
  onChange: () => void
  onOpen: (task_id: string) => void
  onClose: () => void
}) {
  const client = useClient()
  const [act, setAct] = useState<Act | undefined>(undefined)
  const { value, error, reload } = useLoaded(
    async () => client.call('get_task', { task_id }),
    [client, task_id, changed_at]
  )
  if (value === undefined)
    return (
      <Dialog title="Task" onClose={onClose}>
        <Failure error={error} />
      </Dialog>
    )
  const { task, history } = value
  const may = client.can('write') && (task.created_by === client.identity.agent_id || client.can('admin'))
  if (act !== undefined)
    return (
      <TaskAct
        act={act}
        task={task}
        onDone={done => {
          setAct(undefined)
          if (done) onChange()
          reload()
        }}
      />
    )
  return (
    <Dialog title={visibleText(task.title)} onClose={onClose} wide>
      <dl class="facts">
        <Fact name="State">
          <StateBadge state={task.state} />
        </Fact>
        <Fact name="Made by">
          <AgentName name={task.created_by} /> <Time at={task.created_at} />
        </Fact>
        {task.assignee !== null && (
          <Fact name={ENDED.includes(task.state) || task.state === 'submitted' ? 'Held last by' : 'Held by'}>
            <AgentName name={task.assignee} />
          </Fact>
        )}
        {task.to.length > 0 && <Fact name="For">{task.to.map(visibleText).join(', ')}</Fact>}
        <Fact name="Attempts">
          {task.attempts} of {task.max_attempts}
        </Fact>
        <Fact name="Priority">{task.priority}</Fact>
        {task.depends_on.length > 0 && (
          <Fact name="Depends on">
            {task.depends_on.map(id => (
              <button
                key={id}
                type="button"
                class="link-button"
                onClick={() => {
                  onOpen(id)
                }}
              >
                {visibleText(titles.get(id) ?? id)}
              </button>
            ))}
          </Fact>
        )}
        {task.session_id !== null && (
          <Fact name="Session">
            <Link href={`/sessions/${task.session_id}`}>{task.session_id}</Link>
          </Fact>
        )}
      </dl>
      {task.description !== '' && <Markdown text={task.description} />}
      <Said name="Note for the next one" text={task.note} />
      <Said name="Error" text={task.error} />
      {task.result !== null && task.result !== undefined && (
        <>
          <h3>Result</h3>
          <pre class="code" tabIndex={0}>
            {visibleText(typeof task.result === 'string' ? task.result : JSON.stringify(task.result, null, 2))}
          </pre>
        </>
      )}
      <h3>What happened</h3>
      <ol class="history">
        {history.map(({ at, agent_id, from, to, note }, i) => (
          <li key={i}>
            <Time at={at} /> {happened(from, to, agent_id)}
            {agent_id === null ? (HELD.includes(from) ? ', as its lease ended' : ', by what it depends on') : ' by '}
            {agent_id !== null && <AgentName name={agent_id} />}
            {note !== null && <p class="history-note">{visibleText(note)}</p>}
          </li>
        ))}
      </ol>
      {may && !ENDED.includes(task.state) && (
        <div class="buttons">
          {HELD.includes(task.state) && (
            <button
              type="button"
              onClick={() => {
                setAct('release')
              }}
            >
              Release the task …
            </button>
          )}
          <button
            type="button"
            class="danger"
            onClick={() => {
              setAct('cancel')
            }}
          >
            Cancel the task …
          </button>
        </div>
      )}
    </Dialog>
  )
}

/** What a move of a task is called by people: it waits when it is new, and when somebody could not do it. */
function happened(from: string | null, to: TaskView['state'], agent_id: string | null): string {
  if (from === null) return 'Created'
  return to === 'submitted' && agent_id !== null && HELD.includes(from) ? 'Given back' : STATE_NAMES[to]
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Said({ name, text }: { name: string; text: string | null }) {
  if (text === null) return null
  return (
    <>
      <h3>{name}</h3>
      <p class="said">{visibleText(text)}</p>
    </>
  )
}
