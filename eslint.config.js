import tseslint from 'typescript-eslint'

const RULES = {
  // Fastify tells by `async` how a hook ends, and an interface may ask for a promise of what one side has at once.
  '@typescript-eslint/require-await': 'off',
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }
  ],
  eqeqeq: 'error',
  'prefer-const': 'error'
}

// Prettier decides what a file looks like (npm run format). It breaks no comments, texts or SQL: max-len finds those.
export default tseslint.config(
  { ignores: ['**/dist/', 'dist.*/', 'node_modules/', 'data/', '.tap/', 'examples/'] },
  ...tseslint.configs.recommended,
  {
    files: ['dashboard/**/*.{ts,tsx}'],
    extends: [...tseslint.configs.recommendedTypeCheckedOnly],
    languageOptions: { parserOptions: { project: './dashboard/tsconfig.json' } },
    rules: RULES
  },
  {
    files: ['**/*.ts'],
    ignores: ['dashboard/**'],
    extends: [...tseslint.configs.recommendedTypeCheckedOnly],
    languageOptions: { parserOptions: { project: './tsconfig.check.json' } },
    rules: RULES
  },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'dashboard/src/**/*.{ts,tsx}', 'clients/typescript/src/**/*.ts'],
    ignores: ['clients/typescript/src/generated/**'],
    rules: { 'max-len': ['error', { code: 120, ignorePattern: "^import |\\{' '\\}$" }] }
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Answers are looked at as clients look at them: JSON of any shape.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // tap's subtests return promises that tap itself waits for.
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-misused-promises': 'off'
    }
  }
)
