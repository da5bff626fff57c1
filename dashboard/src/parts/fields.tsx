import type { JSX } from 'preact'

type Attributes = Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'value' | 'onInput' | 'label'>

/** A text field with its label before it. */
export function Field({
  label,
  value,
  onValue,
  ...more
}: Attributes & { label: string; value: string; onValue: (value: string) => void }) {
  return (
    <label>
      {label}{' '}
      <input
        type="text"
        {...more}
        value={value}
        onInput={event => {
          onValue(event.currentTarget.value)
        }}
      />
    </label>
  )
}

/** A field to search by. Its label is for those who do not see; others see it while the field is empty. */
export function SearchField({
  label,
  value,
  onValue,
  ...more
}: Attributes & { label: string; value: string; onValue: (value: string) => void }) {
  return (
    <input
      placeholder={label}
      {...more}
      type="search"
      aria-label={label}
      value={value}
      onInput={event => {
        onValue(event.currentTarget.value)
      }}
    />
  )
}

/** A choice of one, with its label before it. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onValue
}: {
  label: string
  value: T
  options: ReadonlyArray<readonly [value: T, name: string]>
  onValue: (value: T) => void
}) {
  return (
    <label>
      {label}{' '}
      <select
        value={value}
        onChange={event => {
          onValue(event.currentTarget.value as T)
        }}
      >
        {options.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
