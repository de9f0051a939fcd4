import { DatabaseError, type Database } from '../database/database.ts'
import type { Row } from '../database/protocol.ts'

export interface Product {
  readonly sku: string
  readonly name: string
  readonly priceCents: number
}

/** `taken`: another product has this SKU. */
export async function addProduct(database: Database, product: Product): Promise<'added' | 'taken'> {
  try {
    await database.transaction((transaction) =>
      transaction.query(
        'INSERT INTO products (sku, name, price_cents) VALUES (?, ?, ?)',
        product.sku,
        product.name,
        product.priceCents,
      ),
    )
    return 'added'
  } catch (error) {
    if (error instanceof DatabaseError && error.code === primaryKeyTaken) return 'taken'
    throw error
  }
}

export async function listProducts(database: Database): Promise<readonly Product[]> {
  const rows = await database.query('SELECT sku, name, price_cents FROM products ORDER BY sku')
  return rows.map(productOf)
}

export async function findProduct(database: Database, sku: string): Promise<Product | undefined> {
  const [row] = await database.query('SELECT sku, name, price_cents FROM products WHERE sku = ?', sku)
  return row === undefined ? undefined : productOf(row)
}

const primaryKeyTaken = 1555 // SQLITE_CONSTRAINT_PRIMARYKEY

const productOf = (row: Row): Product => ({
  sku: String(row['sku']),
  name: String(row['name']),
  priceCents: Number(row['price_cents']),
})
