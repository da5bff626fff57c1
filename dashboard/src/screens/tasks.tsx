import { useMemo, useState } from 'preact/hooks'
import { useLocation } from 'wouter-preact'
import type { TaskView } from '../api/catalogue.js'
import { readPages } from '../api/pages.js'
import { AgentName } from '../parts/agent.js'
import { ConnectLine } from '../parts/connect-line.js'
import { useWorkspaceChanges } from '../parts/fresh.js'
import { listKeys, useKeys } from '../parts/keys.js'
import { useLoaded } from '../parts/load.js'
import { Empty, Failure, LiveState } from '../parts/notes.js'
import { visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import { Leases } from './leases.js'
import { NewTask } from './new-task.js'
import { TaskDialog } from './task-dialog.js'
import { STATE_NAMES } from './task-state.js'

/** Pages of 200 that are read at most: a board of more than 1000 cards shows nobody anything. */
const PAGES = 5

/** Tasks as a board by state, and the names that are held. */
export function TasksScreen({ task_id: open }: { task_id: string | undefined }) {
  const client = useClient()
  const [, navigate] = useLocation()
  const [creating, setCreating] = useState(false)
  const loaded = useLoaded(async () => {
    const { pages, has_more } = await readPages(from => client.call('list_tasks', { limit: 200, ...from }), PAGES)
    const { leases } = await client.call('list_leases', { limit: 1000 })
    return { tasks: pages.flatMap(page => page.tasks), leases, cut: has_more }
  }, [client])
  const { reload } = loaded
  const state = useWorkspaceChanges(client, reload, { only: 'task_changed' })
  useKeys({
    ...listKeys('.card')
  })
  const tasks = loaded.value?.tasks
  const titles = useMemo(() => new Map(tasks?.map(({ task_id, title }) => [task_id, title])), [tasks])
  const show = (task_id: string | undefined) => {
    navigate(task_id === undefined ? '/tasks' : `/tasks/${task_id}`)
  }
  return (
    <div class="screen wide-screen">
      <div class="screen-head">
        <h1>Tasks</h1>
        <LiveState state={state} />
        <span class="grow" />
        {client.can('write') && (
          <button
            type="button"
            class="primary"
            onClick={() => {
              setCreating(true)
            }}
          >
            New task
          </button>
        )}
      </div>
      <Failure error={loaded.error} onRetry={reload} />
      {loaded.value?.cut === true && <p class="note">Only the newest {tasks?.length} tasks are shown.</p>}
      {tasks?.length === 0 && (
        <Empty title="There are no tasks yet.">
          <p>
            An agent makes one with <code>create_task</code>; another one takes it with <code>claim_task</code>.
          </p>
          <ConnectLine />
        </Empty>
      )}
      {tasks !== undefined && tasks.length > 0 && <Board tasks={tasks} titles={titles} onOpen={show} />}
      <Leases leases={loaded.value?.leases ?? []} onChange={reload} />
      {open !== undefined && (
        <TaskDialog
          key={open}
          changed_at={tasks?.find(({ task_id }) => task_id === open)?.updated_at}
          task_id={open}
          titles={titles}
          onChange={reload}
          onOpen={show}
          onClose={() => {
            // The browser tells it a moment later: by then one may be on another screen.
            if (location.hash === `#/tasks/${open}`) show(undefined)
          }}
        />
      )}
      {creating && (
        <NewTask
          onDone={done => {
            setCreating(false)
            if (done) reload()
          }}
        />
      )}
    </div>
  )
}

function Board({
  tasks,
  titles,
  onOpen
}: {
  tasks: readonly TaskView[]
  titles: ReadonlyMap<string, string>
  onOpen: (task_id: string) => void
}) {
  const states = Object.keys(STATE_NAMES) as Array<TaskView['state']>
  return (
    <div class="board">
      {states.map(state => {
        const here = tasks.filter(task => task.state === state)
        return (
          <section key={state} class={`column column-${state}`} aria-label={STATE_NAMES[state]}>
            <h2>
              {STATE_NAMES[state]} <span class="count">{here.length}</span>
            </h2>
            {here.map(task => (
              <Card key={task.task_id} task={task} titles={titles} onOpen={onOpen} />
            ))}
          </section>
        )
      })}
    </div>
  )
}

function Card({
  task,
  titles,
  onOpen
}: {
  task: TaskView
  titles: ReadonlyMap<string, string>
  onOpen: (task_id: string) => void
}) {
  const { task_id, title, priority, assignee, attempts, max_attempts, depends_on, to, updated_at } = task
  return (
    <button
      type="button"
      class="card"
      onClick={() => {
        onOpen(task_id)
      }}
    >
      <span class="card-title">{visibleText(title)}</span>
      <span class="card-facts">
        {assignee !== null && <AgentName name={assignee} />}
        {assignee === null && to.length > 0 && <span>for {to.map(visibleText).join(', ')}</span>}
        {priority !== 0 && <span>priority {priority}</span>}
        {attempts > 0 && (
          <span class="attempts">
            {attempts} of {max_attempts} attempts
          </span>
        )}
        <Time at={updated_at} relative />
      </span>
      {depends_on.length > 0 && (
        <span class="card-needs">needs {depends_on.map(id => visibleText(titles.get(id) ?? id)).join(', ')}</span>
      )}
    </button>
  )
}
