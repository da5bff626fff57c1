interface Answer {
  status: number
  body: any
}

/** What an answer tells: two answers that differ by nothing else say the same. */
export const told = ({ status, body: { timestamp, request_id, search_time_ms, ...body } }: Answer): Answer => ({
  status,
  body
})
