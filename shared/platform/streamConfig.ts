import { z } from 'zod';
import { storeSettings, toStores, type StoreConfig } from './storeConfig.ts';

/** The settings of the stream service. */
export const streamSchema = z.object({
  ...storeSettings,
  /** Address on which streams are served; every one when left out: a load balancer is in front. */
  HOLDFAST_STREAM_HOST: z.string().min(1).default('0.0.0.0'),
  /** Port on which they are served; 8080 when left out, and any free one with 0. */
  HOLDFAST_STREAM_PORT: z.coerce.number().int().min(0).max(65_535).default(8_080),
});

/** What the function of the API reads of addresses: that of streams, and its own. */
export const streamUrlSettings = {
  /** The URL at which the stage serves streams, without a slash at its end; nowhere when left out. */
  HOLDFAST_STREAM_URL: z.url().optional(),
  /** The URL at which people find the pairing page, without a slash at its end; the address of the request when left out. */
  HOLDFAST_PAGE_ORIGIN: z.url().optional(),
} as const;

export interface StreamConfig extends StoreConfig {
  readonly at: { readonly host: string; readonly port: number };
}

/** The configuration from the settings. */
export function toStream(value: z.infer<typeof streamSchema>): StreamConfig {
  return { ...toStores(value), at: { host: value.HOLDFAST_STREAM_HOST, port: value.HOLDFAST_STREAM_PORT } };
}
