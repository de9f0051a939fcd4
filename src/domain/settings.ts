import { z } from 'zod'

const seconds = z.number().positive().max(86_400)

/**
 * A gate as a repository declares it. `gate` is a folder of gates/ (by default the name it is declared under);
 * everything else in the entry belongs to that gate and is parsed by it.
 */
const gateSchema = z.looseObject({
  gate: z.string().min(1).optional(),
  /** `unit`: at each checkpoint; `final`: before the signature and on the merged tree; `both`. */
  at: z.enum(['unit', 'final', 'both']).default('both'),
})

const agentSchema = z.strictObject({
  /** Program and arguments of an ACP agent on stdio. `gaffer` as the program is this Gaffer. */
  command: z.array(z.string().min(1)).min(1),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
  /** Names of variables that it is given as they stand in the environment of the Gaffer that runs it: for keys. */
  passEnv: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)).default([]),
  model: z.string().min(1).nullable().default(null),
  /** `host`: it may use this machine's network, which it needs to reach a hosted model. */
  network: z.enum(['none', 'host']).default('none'),
})

/** `.gaffer/gaffer.yaml` of the repository that Gaffer looks after; always read from the protected base. */
export const settingsSchema = z.strictObject({
  version: z.literal(1),
  /** The protected branch, the one that a landing moves. */
  branch: z.string().min(1).default('main'),
  /** How dependencies are installed in the clean room. None: nothing is installed. */
  dependencies: z.strictObject({ installer: z.enum(['npm', 'none']).default('none') }).prefault({}),
  gates: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/), gateSchema)
    .refine((gates) => Object.keys(gates).length > 0, 'declares no gate'),
  /** Globs of the tests and files that people own: agents read them and never change them. */
  contracts: z.array(z.string().min(1)).default([]),
  agents: z.record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/), agentSchema).default({}),
  /** The agent that builds when a brief names none. */
  agent: z.string().min(1).nullable().default(null),
  review: z
    .strictObject({
      plan: z.enum(['required', 'optional']).default('optional'),
      units: z.enum(['required', 'optional']).default('required'),
      /** Rounds an agent has for a unit before a person is asked. */
      rounds: z.number().int().min(1).max(10).default(3),
      /** Whether the owner signs again when main moved under a signed change. */
      resign: z.boolean().default(false),
    })
    .prefault({}),
  limits: z
    .strictObject({
      turnSeconds: seconds.default(1_800),
      gateSeconds: seconds.default(600),
      outputMb: z.number().positive().max(1_024).default(16),
    })
    .prefault({}),
  /** `required`: on a machine where nothing can confine them, agents and gates do not run at all. */
  sandbox: z.strictObject({ required: z.boolean().default(false) }).prefault({}),
})

export type Settings = z.infer<typeof settingsSchema>
export type GateSettings = Settings['gates'][string]
export type AgentSettings = Settings['agents'][string]

/** Everything that governs agents lives under this folder; no agent may change it. */
export const governedFolder = '.gaffer/'
export const paths = {
  settings: '.gaffer/gaffer.yaml',
  allowedSigners: '.gaffer/allowed_signers',
  evidenceKeys: '.gaffer/evidence_keys.pem',
  plan: 'PLAN.md',
  changelog: 'CHANGELOG.md',
} as const
export const refs = {
  evidence: 'refs/gaffer/evidence',
  task: (id: string): string => `refs/heads/gaffer/${id}`,
} as const
