import type { ComponentChildren } from 'preact'

/** A table with its rows as children. On a narrow screen it is scrolled sideways, by the keyboard too. */
export function Table({ heads, children }: { heads: readonly string[]; children: ComponentChildren }) {
  return (
    <div class="table-scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {heads.map(head => (
              <th key={head}>{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
