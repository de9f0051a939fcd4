import { openDatabase } from '../../src/engine/postgres/database.ts'

/** Opens the embedded database of FOLDER, says `open PORT` and stays until it is killed or asked to end. */
const database = await openDatabase({ kind: 'embedded', folder: process.env['FOLDER'] ?? '' })
process.stdout.write(`open ${new URL(database.url).port}\n`)
const staying = setInterval(() => undefined, 1_000)
process.on('SIGTERM', () => {
  clearInterval(staying)
  void database.close()
})
