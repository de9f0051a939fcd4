import { createServer } from 'node:http'
import { createApp } from './app.ts'
import { Database } from './database/database.ts'
import { jsonLog } from './log.ts'

const database = await Database.open(process.env['DATABASE_FILE'] ?? 'orders.sqlite')
const server = createServer(createApp({ database, log: jsonLog }))
server.listen(Number(process.env['PORT'] ?? 3000), process.env['HOST'] ?? '127.0.0.1')

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    // Open requests are answered first; keep-alive connections with none would hold the server for ever.
    server.close(() => void database.close())
    server.closeIdleConnections()
  })
}
