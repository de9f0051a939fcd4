import type { Judged } from '../ports/gate.ts'

/** What a gate's verdict depends on when its command may read everything: the tree, and the machine it runs on. */
export const wholeTree = ({ tree, level, settings }: Judged): readonly string[] => [
  `tree ${tree}`,
  `level ${level}`,
  `installer ${settings.dependencies.installer}`,
  `node ${process.version} ${process.platform} ${process.arch}`,
]
