/** Every advisory lock of Gaffer, so that no two purposes share a number. */
export const locks = {
  /** Leaving the embedded server: who is the last? */
  leaving: 0x6761_6601,
  migration: 0x6761_6602,
  append: 0x6761_6603,
  wakes: 0x6761_6604,
  recovery: 0x6761_6605,
} as const
