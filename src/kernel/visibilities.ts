/** Who may see a message; docs/semantics.md, Visibility, says which word means whom. */
export const VISIBILITIES = ['public', 'private', 'agent_only', 'direct', 'admin_only'] as const
export type Visibility = (typeof VISIBILITIES)[number]
