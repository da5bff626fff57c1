import { useEffect, useMemo, useState } from 'preact/hooks'
import { Redirect, Route, Router, Switch } from 'wouter-preact'
import { useHashLocation } from 'wouter-preact/use-hash-location'
import { Client, type Identity, signInWithCode, storedIdentity } from './api/client.js'
import { messageOf } from './api/failure.js'
import { Notice } from './parts/notes.js'
import { AgentScreen } from './screens/agent.js'
import { AgentsScreen } from './screens/agents.js'
import { AuditScreen } from './screens/audit.js'
import { HealthScreen } from './screens/health.js'
import { KeysScreen } from './screens/keys.js'
import { SessionScreen } from './screens/session.js'
import { SearchScreen } from './screens/search.js'
import { SessionsScreen } from './screens/sessions.js'
import { SignIn } from './screens/sign-in.js'
import { TasksScreen } from './screens/tasks.js'
import { WorkspacesScreen } from './screens/workspaces.js'
import { Frame } from './frame.js'
import { SignedIn } from './signed-in.js'

/** What the address of the printed link holds after its #. */
const LINK = /^#sign-in=([0-9A-Za-z_-]+)$/

/** A part of an address as text; as it is where it cannot be decoded. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function App() {
  const [identity, setIdentity] = useState<Identity | undefined>(storedIdentity)
  const [why, setWhy] = useState('')
  const signIn = (as: Identity) => {
    setWhy('')
    setIdentity(as)
  }
  const [linking, setLinking] = useState(() => LINK.test(location.hash))

  useEffect(() => {
    const useLink = () => {
      const code = LINK.exec(location.hash)?.[1]
      if (code === undefined) return
      // It is used once, and stays in no history.
      history.replaceState(null, '', '#/')
      setLinking(true)
      signInWithCode(code)
        .then(signIn, (error: unknown) => {
          setWhy(messageOf(error))
        })
        .finally(() => {
          setLinking(false)
        })
    }
    useLink()
    // Put into the address of a tab that has the page already, a link loads nothing.
    addEventListener('hashchange', useLink)
    return () => {
      removeEventListener('hashchange', useLink)
    }
  }, [])

  const client = useMemo(
    () =>
      identity &&
      new Client(identity, reason => {
        setWhy(reason && `You were signed out: ${reason}`)
        setIdentity(undefined)
      }),
    [identity]
  )
  useEffect(() => () => client?.close(), [client])
  if (linking) return <p class="note">Signing in …</p>
  if (client === undefined) return <SignIn why={why} onSignIn={signIn} />
  return (
    <SignedIn.Provider value={client}>
      <Router hook={useHashLocation}>
        <Frame>
          {why !== '' && (
            <Notice
              text={why}
              rest="You are signed in as before."
              onClose={() => {
                setWhy('')
              }}
            />
          )}
          <Switch>
            <Route path="/" component={SessionsScreen} />
            <Route path="/sessions/:id/:at?">
              {({ id, at }) => (
                <SessionScreen key={id} session_id={id} at={at === undefined ? undefined : Number(at)} />
              )}
            </Route>
            <Route path="/search/:query?">{({ query = '' }) => <SearchScreen query={decoded(query)} />}</Route>
            <Route path="/tasks/:id?">{({ id }) => <TasksScreen task_id={id} />}</Route>
            <Route path="/agents" component={AgentsScreen} />
            <Route path="/agents/:id">{({ id }) => <AgentScreen key={id} agent_id={decoded(id)} />}</Route>
            <Route path="/audit" component={AuditScreen} />
            <Route path="/keys/:workspace?">
              {({ workspace = '' }) => <KeysScreen key={workspace} of={decoded(workspace)} />}
            </Route>
            <Route path="/workspaces" component={WorkspacesScreen} />
            <Route path="/health" component={HealthScreen} />
            {/* A link in the address comes before its event: what is rendered in between must keep it. */}
            <Route>{() => (LINK.test(location.hash) ? null : <Redirect to="/" />)}</Route>
          </Switch>
        </Frame>
      </Router>
    </SignedIn.Provider>
  )
}
