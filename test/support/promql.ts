/** What an expression of PromQL asks for, as far as our rules and dashboards use the language. */
export interface Asked {
  metric: string
  /** Labels that it selects by, with what they are to be. */
  labels: Array<{ name: string; operator: string; value: string }>
}

const FUNCTIONS = new Set([
  ...['abs', 'absent', 'histogram_quantile', 'increase', 'label_values', 'max', 'min_over_time', 'rate', 'sum', 'topk'],
  ...['by', 'without']
])
const SELECTOR = /([a-zA-Z_:][\w:]*)\{((?:[^}"]|"[^"]*")*)\}/g
const MATCHER = /([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"([^"]*)"/g
const GROUPING = /\b(?:by|without)\s*\(([^)]*)\)/g

/**
 * The metrics and labels of an expression.
 * @throws Error for a metric without braces, which would be any job's, and for what this reader does not know
 */
export function readPromQl(expression: string): { asked: Asked[]; grouped: string[] } {
  const asked: Asked[] = []
  const without = expression.replace(SELECTOR, (_all, metric: string, matchers: string) => {
    const labels = [...matchers.matchAll(MATCHER)].map(([, name = '', operator = '', value = '']) => ({
      name,
      operator,
      value
    }))
    asked.push({ metric, labels })
    return '1'
  })
  const grouped: string[] = []
  const rest = without.replace(GROUPING, (_all, names: string) => {
    grouped.push(...names.split(',').map(name => name.trim()))
    return ''
  })
  for (const [word] of rest.replace(/\[[^\]]*\]/g, '').matchAll(/[a-zA-Z_:][\w:]*/g))
    if (!FUNCTIONS.has(word)) throw new Error(`${word} is no function, and has no braces: ${expression}`)
  return { asked, grouped }
}

/** The metrics of a page for Prometheus, each with the labels that its lines have. */
export function readMetricsPage(page: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const [, metric = '', labels = ''] of page.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? [^ ]+$/gm)) {
    const names = found.get(metric) ?? new Set()
    for (const [, name = ''] of labels.matchAll(/([a-zA-Z_]\w*)="/g)) names.add(name)
    found.set(metric, names)
  }
  return found
}
