/** What a replica says of itself. */
export interface About {
  name: string
  version: string
  /** Names this replica in answers, logs and metrics. */
  replica: string
  started_at: Date
}
