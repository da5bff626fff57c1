/**
 * What every statement that moves tasks ends with, as common table expressions: the task's history, and a change in the
 * feed of its session, which takes the session's next number.
 *
 * `moved` is the expression with the tasks as they are now, in an order `n`: id, session_id, n, was (the state before),
 * state, said (the note of the history), agent_id. Its rows are locked by then: tasks are locked before sessions, and
 * sessions in the order of their ids, so that no two statements wait for each other crosswise.
 */
export const HISTORY_AND_FEED = `
  tasks_session as materialized (
    select s.id from sessions s
    where s.workspace = $1 and s.id = any(array(select session_id from moved where session_id <> ''))
    order by s.id for no key update
  ), grown as (
    update sessions s set last_seq = s.last_seq + m.n
    from (select session_id, count(*) as n from moved group by session_id) m
    where s.workspace = $1 and s.id = m.session_id and s.id = any(array(select id from tasks_session))
    returning s.id, s.last_seq - m.n as head
  ), told as (
    insert into session_changes (workspace, session_id, seq, kind, task_id, changed_by)
    select $1, m.session_id, g.head + row_number() over (partition by m.session_id order by m.n), 'task_changed', m.id,
      coalesce(m.agent_id, '')
    from moved m join grown g on g.id = m.session_id
  ), remembered as (
    insert into task_history (workspace, task_id, agent_id, from_state, to_state, note)
    select $1, id, agent_id, was, state, said from moved order by n
  )`
