import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface StatusPage {
  readonly html: string
  readonly style: string
  /** Content-Security-Policy that lets exactly this page run. */
  readonly policy: string
}

let page: StatusPage | undefined

/** The one page, read and hashed once. */
export const statusPage = (): StatusPage => (page ??= load())

function load(): StatusPage {
  const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8')
  const style = read('status.css')
  const script = read('status.js')
  const html = read('status.html')
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script></script>', () => `<script>${script}</script>`)
  const sri = (text: string): string => `'sha256-${hash('sha256', text, 'base64')}'`
  const policy = [
    "default-src 'none'",
    `style-src ${sri(style)}`,
    `script-src ${sri(script)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return { html, style, policy }
}

/** What somebody without a session sees; names nothing of the work. */
export const renderLocked = (why: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Gaffer</title><style>${statusPage().style}</style></head>
<body><main class="locked"><h1>${why}</h1>
<p>Get a fresh link on the machine that runs Gaffer. It opens this page once, and keeps it open in this browser.</p>
<pre><code>gaffer page</code></pre></main></body></html>
`
