/**
 * How secrets look that have a form of their own. Each pattern keeps what group 1 matches, masks group 2, and keeps
 * group 3. All are in the language of RE2: no look-around and no references back. None takes more than a few looks at
 * a character: where a run of characters has no bound, the character before it may not be one of the run, so that no
 * second match can begin inside (test/redaction/cost.long.test.ts).
 */
export interface SecretKind {
  /** Stands in the place of the secret, in metrics and in audit rows. */
  name: string
  /** For a warning: "what looks like …". */
  words: string
  /** A pattern of what every such secret holds: most texts hold none of these, and are not looked at further. */
  mark: string
  patterns: readonly RegExp[]
  /** Whether what a pattern has found is meant: not a word of a manual, such as "Bearer authentication". */
  isMeant?: (secret: string) => boolean
}

/** What a URL has in the place of a password, and is none: <password>, ${PASSWORD}, ****. */
const PLACEHOLDER = /^(?:pass(?:word|wd)?|pwd|secret|token|user|\*+|x+|\.+|[<${%[].*)$/i

/** Private keys are found by private-keys.ts. */
export const PRIVATE_KEY = { name: 'private_key', words: 'a private key', mark: '-----BEGIN ' }

export const SECRET_KINDS: readonly SecretKind[] = [
  {
    // The formats of src/agents/api-key.ts and of the generated keys.
    name: 'own_key',
    mark: 'scs_',
    words: 'an API key of this service',
    patterns: [/(^|[^A-Za-z0-9_-])(scs_[A-Za-z0-9_-]{24,})()/g]
  },
  {
    // IAM User Guide, "Understanding unique ID prefixes"; a secret access key has no form but its 40 characters.
    name: 'aws_key',
    mark: 'AKIA|ASIA|[sS][eE][cC][rR][eE][tT]',
    words: 'an access key of AWS',
    patterns: [
      /(^|[^A-Za-z0-9])((?:AKIA|ASIA)[A-Z2-7]{16})(\b)/g,
      /(aws_?secret_?(?:access_?)?key["' \t]{0,3}[:=]["' \t]{0,3})([A-Za-z0-9/+]{40})([^A-Za-z0-9/+=]|$)/gi
    ]
  },
  {
    // GitHub Docs, "About authentication to GitHub: GitHub's token formats".
    name: 'github_token',
    mark: 'gh[pousr]_|github_pat_',
    words: 'a token of GitHub',
    patterns: [/(^|[^A-Za-z0-9_])(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})()/g]
  },
  {
    // GitLab Docs, "Token overview: Token prefixes".
    name: 'gitlab_token',
    mark: 'gl[a-z]{2,5}-',
    words: 'a token of GitLab',
    patterns: [/(^|[^A-Za-z0-9_-])(gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_-]{20,})()/g]
  },
  {
    // Slack Docs, "Tokens" and "Sending messages using incoming webhooks".
    name: 'slack_token',
    mark: 'xox|xapp-|hooks\\.slack',
    words: 'a token or webhook of Slack',
    patterns: [
      /(^|[^A-Za-z0-9-])((?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,})()/g,
      /(https:\/\/hooks\.slack(?:-gov)?\.com\/)((?:services|workflows|triggers)\/[A-Za-z0-9/_-]{20,})()/g
    ]
  },
  {
    // Stripe Docs, "API keys" and "Webhooks: Verify signatures".
    name: 'stripe_key',
    mark: '_live_|_test_|whsec_',
    words: 'a key of Stripe',
    patterns: [/(^|[^A-Za-z0-9_])((?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{32,})()/g]
  },
  {
    // Google Cloud Docs, "API keys" and "Token types"; OAuth client secrets begin with GOCSPX-.
    name: 'google_key',
    mark: 'AIza|GOCSPX-|ya29\\.',
    words: 'a key or token of Google',
    patterns: [/(^|[^A-Za-z0-9_-])(AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,})()/g]
  },
  {
    // Azure Storage Docs, "Configure connection strings": 64 bytes as base64.
    name: 'azure_key',
    mark: 'AccountKey=',
    words: 'a key of Azure Storage',
    patterns: [/(AccountKey=)([A-Za-z0-9+/]{86}==)()/g]
  },
  {
    // As Anthropic, OpenAI and OpenRouter issue them.
    name: 'model_key',
    mark: 'sk-',
    words: 'an API key of a model provider',
    patterns: [
      /(^|[^A-Za-z0-9_-])(sk-(?:ant|proj|svcacct|admin|or)-[A-Za-z0-9_-]{20,})()/g,
      /(^|[^A-Za-z0-9_-])(sk-[A-Za-z0-9]{20,}T3BlbkFJ[A-Za-z0-9]{20,})()/g
    ]
  },
  {
    // npm Docs, "About access tokens"; PyPI, "API tokens" (a macaroon); Docker Docs, "Access tokens".
    name: 'registry_token',
    mark: 'npm_|pypi-|dckr_',
    words: 'a token of a package registry',
    patterns: [
      /(^|[^A-Za-z0-9_])(npm_[A-Za-z0-9]{36})(\b)/g,
      /(^|[^A-Za-z0-9_-])(pypi-AgE[A-Za-z0-9_-]{50,}|dckr_[op]at_[A-Za-z0-9_-]{20,})()/g
    ]
  },
  {
    // Hugging Face Docs, "User access tokens"; DigitalOcean and Twilio SendGrid Docs.
    name: 'service_token',
    mark: 'hf_|_v1_|SG\\.',
    words: 'a token of Hugging Face, DigitalOcean or SendGrid',
    patterns: [
      /(^|[^A-Za-z0-9_])(hf_[A-Za-z0-9]{30,}|do[opr]_v1_[a-f0-9]{64})(\b)/g,
      /(^|[^A-Za-z0-9_-])(SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,})()/g
    ]
  },
  {
    // RFC 7519 and RFC 7515: header and claims are objects, so that both begin with {" as base64url.
    name: 'jwt',
    mark: 'eyJ',
    words: 'a signed token (JWT)',
    patterns: [/(^|[^A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,})()/g]
  },
  {
    // RFC 6750 and RFC 7617.
    name: 'authorization',
    mark: '[bB][eE][aA][rR][eE][rR]|[bB][aA][sS][iI][cC]',
    words: 'credentials of an Authorization header',
    patterns: [
      /(\bbearer[ \t]{1,4})([A-Za-z0-9._~+/-]{20,}={0,2})()/gi,
      /(\bauthorization["']?[ \t]{0,4}[:=][ \t]{0,4}["']?basic[ \t]{1,4})([A-Za-z0-9+/]{12,}={0,2})()/gi
    ],
    isMeant: secret => /\d/.test(secret)
  },
  {
    // RFC 3986, 3.2.1: user:password@host.
    name: 'url_password',
    mark: '://',
    words: 'a password in a URL',
    patterns: [/(:\/\/[^\s:/@"'<>?#\\]{0,200}:)([^\s/@"'<>?#\\]{3,200})(@)/g],
    isMeant: password => !PLACEHOLDER.test(password)
  }
]

export const KIND_NAMES: readonly string[] = [PRIVATE_KEY.name, ...SECRET_KINDS.map(({ name }) => name)]
