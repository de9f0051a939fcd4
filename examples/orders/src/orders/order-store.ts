import { randomBytes } from 'node:crypto'
import type { Database, Transaction } from '../database/database.ts'
import type { Order, OrderLine, OrderRequest } from './order.ts'

export type Placed =
  | { readonly kind: 'placed'; readonly order: Order }
  | { readonly kind: 'unknown-product'; readonly sku: string }

/** Prices and stores an order in one transaction: either all of it is there, or nothing. */
export function placeOrder(database: Database, request: OrderRequest): Promise<Placed> {
  return database.transaction(async (transaction) => {
    const lines: OrderLine[] = []
    for (const { sku, quantity } of request.lines) {
      const [product] = await transaction.query('SELECT price_cents FROM products WHERE sku = ?', sku)
      if (product === undefined) return { kind: 'unknown-product', sku }
      lines.push({ sku, quantity, unitPriceCents: Number(product['price_cents']) })
    }

    const order = {
      id: `ord_${randomBytes(12).toString('hex')}`,
      customer: request.customer,
      placedAt: new Date().toISOString(),
      lines,
      totalCents: lines.reduce((sum, { quantity, unitPriceCents }) => sum + quantity * unitPriceCents, 0),
    }
    await insert(transaction, order)
    return { kind: 'placed', order }
  })
}

async function insert(transaction: Transaction, order: Order): Promise<void> {
  await transaction.query(
    'INSERT INTO orders (id, customer, placed_at, total_cents) VALUES (?, ?, ?, ?)',
    order.id,
    order.customer,
    order.placedAt,
    order.totalCents,
  )
  for (const [index, { sku, quantity, unitPriceCents }] of order.lines.entries()) {
    await transaction.query(
      'INSERT INTO order_lines (order_id, position, sku, quantity, unit_price_cents) VALUES (?, ?, ?, ?, ?)',
      order.id,
      index + 1,
      sku,
      quantity,
      unitPriceCents,
    )
  }
}
