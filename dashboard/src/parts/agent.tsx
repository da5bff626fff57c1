import { hueOf, visibleText } from './text.js'

/** A name in its colour. */
export function AgentName({ name }: { name: string }) {
  return (
    <bdi class="agent" style={{ '--hue': String(hueOf(name)) }} title={visibleText(name)}>
      {visibleText(name)}
    </bdi>
  )
}
