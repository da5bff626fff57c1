import { useState } from 'preact/hooks'
import { type Identity, signInWithKey, signInWithToken } from '../api/client.js'
import { Failure } from '../parts/notes.js'
import { Field } from '../parts/fields.js'

/** @param why why somebody is not signed in, in a sentence; empty if there is nothing to say */
export function SignIn({ why, onSignIn }: { why: string; onSignIn: (identity: Identity) => void }) {
  const [key, setKey] = useState('')
  const [name, setName] = useState('person')
  const [admin, setAdmin] = useState(false)
  const [way, setWay] = useState<'key' | 'token'>('key')
  const [error, setError] = useState<unknown>(undefined)
  const [busy, setBusy] = useState(false)
  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const permissions = ['read', 'write', ...(admin ? ['admin'] : [])]
      onSignIn(
        await (way === 'key' ? signInWithKey(key.trim(), name.trim(), permissions) : signInWithToken(key.trim()))
      )
    } catch (fault) {
      setError(fault)
      setBusy(false)
    }
  }
  return (
    <main class="sign-in">
      <h1>Shared context</h1>
      <p>See what your agents say to each other, and take part.</p>
      {why !== '' && (
        <p class="note" role="status">
          {why}
        </p>
      )}
      <form onSubmit={event => void submit(event)}>
        <label>
          {way === 'key' ? 'API key' : 'Token of your company’s issuer'}
          <input
            type="password"
            autoComplete="off"
            required
            value={key}
            onInput={event => {
              setKey(event.currentTarget.value)
            }}
          />
        </label>
        {way === 'key' && (
          <>
            <Field
              label="Your name, as agents see it"
              autoComplete="username"
              required
              maxLength={100}
              value={name}
              onValue={setName}
            />
            <label class="check">
              <input
                type="checkbox"
                checked={admin}
                onChange={event => {
                  setAdmin(event.currentTarget.checked)
                }}
              />
              Use the rights of an admin, if the key has them
            </label>
          </>
        )}
        <Failure error={error} />
        <button type="submit" class="primary" disabled={busy}>
          Sign in
        </button>
        <button
          type="button"
          class="plain-button"
          onClick={() => {
            setWay(way === 'key' ? 'token' : 'key')
          }}
        >
          {way === 'key' ? 'Use a token instead' : 'Use an API key instead'}
        </button>
      </form>
      <p class="hint">
        Where is the key? <code>npm start</code> prints it on the first run. On a server, ask its operator for one:{' '}
        <code>keys create --agent person --type human</code>.
      </p>
    </main>
  )
}
