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

/** A port with what may stand behind a URL, up to some later @: `http://<host>:8080,me@my-company.org`. */
const PORT = /^\d{1,5}(?:[),;|&\]}`*]|%2f|[^\x20-\x7e])/i

/** Private keys are found by private-keys.ts. */
export const PRIVATE_KEY = { name: 'private_key', words: 'a private key', mark: '-----BEGIN ' }

/**
 * Secrets that stand behind none of these characters, or behind a line end or tab as a string of JSON has it: agents
 * paste such strings as text. @param end what must follow
 */
function behind(characters: string, secret: RegExp, end = ''): RegExp {
  return new RegExp(`(^|[^${characters}]|\\\\[nrt])(${secret.source})(${end})`, 'g')
}

export const SECRET_KINDS: readonly SecretKind[] = [
  {
    // The formats of src/agents/api-key.ts and of the generated keys.
    name: 'own_key',
    mark: 'scs_',
    words: 'an API key of this service',
    patterns: [behind('A-Za-z0-9_-', /scs_[A-Za-z0-9_-]{24,}/)]
  },
  {
    // IAM User Guide, "Understanding unique ID prefixes"; a secret access key has no form but its 40 characters.
    name: 'aws_key',
    mark: 'AKIA|ASIA|[sS][eE][cC][rR][eE][tT]',
    words: 'an access key of AWS',
    patterns: [
      behind('A-Za-z0-9', /(?:AKIA|ASIA)[A-Z2-7]{16}/, '\\b'),
      /(aws_?secret_?(?:access_?)?key["' \t]{0,3}[:=]["' \t]{0,3})([A-Za-z0-9/+]{40})([^A-Za-z0-9/+=]|$)/gi
    ]
  },
  {
    // GitHub Docs, "About authentication to GitHub: GitHub's token formats".
    name: 'github_token',
    mark: 'gh[pousr]_|github_pat_',
    words: 'a token of GitHub',
    patterns: [behind('A-Za-z0-9_', /gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}/)]
  },
  {
    // GitLab Docs, "Token overview: Token prefixes".
    name: 'gitlab_token',
    mark: 'gl[a-z]{2,5}-',
    words: 'a token of GitLab',
    patterns: [behind('A-Za-z0-9_-', /gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_-]{20,}/)]
  },
  {
    // Slack Docs, "Tokens" and "Sending messages using incoming webhooks".
    name: 'slack_token',
    mark: 'xox|xapp-|hooks\\.slack',
    words: 'a token or webhook of Slack',
    patterns: [
      behind('A-Za-z0-9-', /(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}/),
      /(https:\/\/hooks\.slack(?:-gov)?\.com\/)((?:services|workflows|triggers)\/[A-Za-z0-9/_-]{20,})()/g
    ]
  },
  {
    // Telegram, "Bot API: Authorizing your bot"; Discord Docs, "Authentication" and "Webhook resource". A token of
    // Discord begins with the id of the bot, which is decimal, as base64: four characters for three digits.
    name: 'chat_token',
    mark: ':AA|[MNO][DTjz][AEIMQUYcgk][w-z0-5][MNO][DTjz]|/webhooks/',
    words: 'a token or webhook of Telegram or Discord',
    patterns: [
      behind('A-Za-z0-9_-', /[0-9]{6,12}:AA[A-Za-z0-9_-]{33,}/),
      /(\/bot)([0-9]{6,12}:AA[A-Za-z0-9_-]{33,})()/g,
      behind(
        'A-Za-z0-9_-',
        /(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){5}[A-Za-z0-9]{2,8}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}/
      ),
      /(discord(?:app)?\.com\/api\/(?:v[0-9]{1,2}\/)?webhooks\/[0-9]{15,20}\/)([A-Za-z0-9_-]{60,})()/g
    ]
  },
  {
    // Stripe Docs, "API keys" and "Webhooks: Verify signatures".
    name: 'stripe_key',
    mark: '_live_|_test_|whsec_',
    words: 'a key of Stripe',
    patterns: [behind('A-Za-z0-9_', /(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{32,}/)]
  },
  {
    // Google Cloud Docs, "API keys" and "Token types"; OAuth client secrets begin with GOCSPX-.
    name: 'google_key',
    mark: 'AIza|GOCSPX-|ya29\\.',
    words: 'a key or token of Google',
    patterns: [behind('A-Za-z0-9_-', /AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,}/)]
  },
  {
    // Azure Storage Docs, "Configure connection strings": 64 bytes as base64; Azure Service Bus: 32.
    name: 'azure_key',
    mark: 'Acc(?:ount|ess)Key=',
    words: 'a key of Azure',
    patterns: [/(AccountKey=)([A-Za-z0-9+/]{86}==)()/g, /(SharedAccessKey=)([A-Za-z0-9+/]{43}=)()/g]
  },
  {
    // As Anthropic, OpenAI, OpenRouter, DeepSeek, Groq, xAI, Perplexity and Replicate issue them.
    name: 'model_key',
    mark: 'sk-|gsk_|xai-|pplx-|r8_',
    words: 'an API key of a model provider',
    patterns: [
      behind('A-Za-z0-9_-', /sk-(?:ant|proj|svcacct|admin|or)-[A-Za-z0-9_-]{20,}/),
      behind('A-Za-z0-9_-', /sk-[A-Za-z0-9]{32,}|gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{60,}/),
      behind('A-Za-z0-9_-', /pplx-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}/)
    ]
  },
  {
    // npm Docs, "About access tokens"; PyPI, "API tokens" (a macaroon); Docker Docs, "Access tokens".
    name: 'registry_token',
    mark: 'npm_|pypi-|dckr_',
    words: 'a token of a package registry',
    patterns: [
      behind('A-Za-z0-9_', /npm_[A-Za-z0-9]{36}/, '\\b'),
      behind('A-Za-z0-9_-', /pypi-AgE[A-Za-z0-9_-]{50,}|dckr_[op]at_[A-Za-z0-9_-]{20,}/)
    ]
  },
  {
    // Docs of Hugging Face ("User access tokens"), DigitalOcean, Twilio SendGrid, HashiCorp Vault ("Tokens"), Atlassian
    // ("API tokens"), Databricks, Grafana ("Service accounts"), Shopify, Notion ("Authorization"), Linear, and Sentry
    // ("Token and credential formats").
    name: 'service_token',
    mark: 'hf_|_v1_|SG\\.|hv[sb]\\.|ATATT3|dapi|glsa_|shp(?:at|ca|pa|ss)_|ntn_|secret_|lin_|sntry',
    words: 'a token of a service, such as Hugging Face or Vault',
    patterns: [
      behind('A-Za-z0-9_', /hf_[A-Za-z0-9]{30,}|do[opr]_v1_[a-f0-9]{64}/, '\\b'),
      behind('A-Za-z0-9_-', /SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,}|hv[sb]\.[A-Za-z0-9_-]{24,}/),
      behind('A-Za-z0-9_-', /ATATT3[A-Za-z0-9_-]{60,}={0,2}[A-Za-z0-9]{0,8}|glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}/),
      behind('A-Za-z0-9_', /dapi[a-f0-9]{32}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}/, '\\b'),
      behind('A-Za-z0-9_', /ntn_[A-Za-z0-9]{40,}|lin_(?:api|oauth|refresh|wh)_[A-Za-z0-9]{30,}/),
      behind('A-Za-z0-9_', /secret_[A-Za-z0-9]{43}/, '\\b'),
      behind('A-Za-z0-9_', /sntry[uai]_[a-f0-9]{64}|sntrys_eyJ[A-Za-z0-9+/]{20,}={0,2}_[A-Za-z0-9+/]{43}/)
    ]
  },
  {
    // Twilio Docs, "API keys" and "Auth tokens". The id of an account, AC…, is no secret. Its token has no form.
    name: 'twilio_key',
    mark: 'SK[0-9a-f]{8}|AC[0-9a-f]{8}|wilio|WILIO',
    words: 'a key or token of Twilio',
    patterns: [
      behind('A-Za-z0-9', /SK[0-9a-f]{32}(?::[A-Za-z0-9]{32})?/, '\\b'),
      /(\bAC[0-9a-f]{32}:)([0-9a-f]{32})(\b)/g,
      /(twilio_?(?:auth_?token|api_?(?:key_?)?secret)["' \t]{0,3}[:=]["' \t]{0,3})([A-Za-z0-9]{32})(\b)/gi
    ]
  },
  {
    // C2SP, "age": Bech32 in capitals; keys with -PQ- are made to withstand quantum computers.
    name: 'age_key',
    mark: 'AGE-SECRET-KEY-',
    words: 'a secret key of age',
    patterns: [behind('A-Za-z0-9-', /AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{50,}/)]
  },
  {
    // RFC 7519 and RFC 7515: header and claims are objects, so that both begin with {" as base64url.
    name: 'jwt',
    mark: 'eyJ',
    words: 'a signed token (JWT)',
    patterns: [behind('A-Za-z0-9_-', /eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}/)]
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
    patterns: [/(:\/\/[^\s:/@"'<>?#\\[]{0,200}:)([^\s/"'<>?#\\]{3,200})(@)/g],
    isMeant: password => !PLACEHOLDER.test(password) && !PORT.test(password)
  }
]

export const KIND_NAMES: readonly string[] = [PRIVATE_KEY.name, ...SECRET_KINDS.map(({ name }) => name)]
