import { basename } from 'node:path'

const folders = /^(?:tests?|__tests__|specs?|e2e|testing|__mocks__|cypress)$/i
const names = [
  /[._-](?:tests?|specs?|e2e|cy|bench)\.[^.]+$/i, // orders.test.ts, orders_test.go, orders_spec.rb
  /^(?:tests?|specs?)[._-].*\.[^.]+$/i, // test_orders.py
  /[a-z0-9](?:Tests?|Specs?|IT|TestCase)\.(?:java|kt|cs|swift|php|scala|groovy)$/, // OrdersTest.java
  /^conftest\.py$/,
]
const code =
  /\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|kts|cs|fs|swift|php|scala|groovy|dart|ex|exs|clj|c|cc|cpp|cxx|m|mm|lua|sh|bats|feature|vue|svelte)$/i

/** Whether a file is a test, or stands beside tests and helps them. */
export const isTestPath = (path: string): boolean => {
  const [name, above] = [basename(path), path.split('/').slice(0, -1)]
  return code.test(name) && (names.some((form) => form.test(name)) || above.some((folder) => folders.test(folder)))
}
