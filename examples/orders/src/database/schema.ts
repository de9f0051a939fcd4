/** Run at every start; each statement is safe to repeat. Money is in cents, times are ISO 8601 in UTC. */
export const schema = `
  PRAGMA foreign_keys = ON;

  CREATE TABLE IF NOT EXISTS products (
    sku         TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents >= 0)
  ) STRICT;

  CREATE TABLE IF NOT EXISTS orders (
    id          TEXT PRIMARY KEY,
    customer    TEXT NOT NULL,
    placed_at   TEXT NOT NULL,
    total_cents INTEGER NOT NULL CHECK (total_cents >= 0)
  ) STRICT;

  CREATE TABLE IF NOT EXISTS order_lines (
    order_id         TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    position         INTEGER NOT NULL CHECK (position > 0),
    sku              TEXT NOT NULL REFERENCES products (sku),
    quantity         INTEGER NOT NULL CHECK (quantity > 0),
    unit_price_cents INTEGER NOT NULL CHECK (unit_price_cents >= 0),
    PRIMARY KEY (order_id, position)
  ) STRICT;
`
