import type {
  ListApiKeysOutput,
  GetAuditLogOutput,
  ListLeasesOutput,
  Message,
  SearchContextOutput,
  Tools
} from '../../../clients/typescript/src/index.js'

/** What the page calls, by the types of the service's own client: a tool that changes breaks the check of the page. */

export type {
  GetServerHealthOutput as Health,
  Message as MessageView,
  Session as SessionView,
  SessionSummary as SessionRow,
  Task as TaskView
} from '../../../clients/typescript/src/index.js'

export type Input<N extends keyof Tools> = Tools[N]['input']
export type Output<N extends keyof Tools> = Tools[N]['output']
export type LeaseView = ListLeasesOutput['leases'][number]
export type AuditRow = GetAuditLogOutput['entries'][number]
export type ApiKeyView = ListApiKeysOutput['keys'][number]
export type SearchHit = SearchContextOutput['results'][number]
export type Visibility = Message['visibility']
