import { z } from 'zod';
import { storeSettings, toStores, type StoreConfig } from './storeConfig.ts';

/**
 * The settings of the operations command line. All are optional: some commands need the API alone, some the stores
 * alone.
 */
export const opsSchema = z
  .object({
    ...storeSettings,
    HOLDFAST_STAGE: storeSettings.HOLDFAST_STAGE.optional(),
    HOLDFAST_QUEUE_URL_BASE: storeSettings.HOLDFAST_QUEUE_URL_BASE.optional(),
    /** The URL of the API. When left out, commands that need the API fail. */
    HOLDFAST_API_URL: z.url({ protocol: /^https?$/ }).optional(),
    /**
     * Path of the file with the operator key, because other users can see arguments and environments. When left out,
     * commands that need the API fail.
     */
    HOLDFAST_OPERATOR_KEY_FILE: z.string().min(1).optional(),
  })
  .refine((c) => (c.HOLDFAST_STAGE === undefined) === (c.HOLDFAST_QUEUE_URL_BASE === undefined), {
    message: 'must be given together with HOLDFAST_STAGE',
    path: ['HOLDFAST_QUEUE_URL_BASE'],
  });

/** How the operations command line finds a Holdfast. */
export interface OpsConfig {
  readonly apiUrl: string | undefined;
  readonly operatorKeyFile: string | undefined;
  /** The settings of the stores; undefined when no stage is named. */
  readonly stores: StoreConfig | undefined;
}

/** The configuration from the settings. */
export function toOps(value: z.infer<typeof opsSchema>): OpsConfig {
  const { HOLDFAST_STAGE: stage, HOLDFAST_QUEUE_URL_BASE: base } = value;
  return {
    apiUrl: value.HOLDFAST_API_URL,
    operatorKeyFile: value.HOLDFAST_OPERATOR_KEY_FILE,
    stores:
      stage === undefined || base === undefined
        ? undefined
        : Object.freeze(toStores({ ...value, HOLDFAST_STAGE: stage, HOLDFAST_QUEUE_URL_BASE: base })),
  };
}
