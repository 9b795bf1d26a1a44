import { z } from 'zod';

/** Settings of a process that converts files. */
export const conversionSettings = {
  /** The path of the program that decodes files: functions/media/prepare/converter/main.ts, or what is made of it. Required. */
  HOLDFAST_CONVERTER_FILE: z.string().min(1),
  /** Folders in which ffmpeg is looked for, as the shell has them. Without it, what it converts is refused by name. */
  PATH: z.string().default(''),
} as const;

const schema = z.object(conversionSettings);

export interface ConversionConfig {
  readonly converterFile: string;
  readonly programFolders: string;
}

/** The configuration from the settings. */
export function toConversions(value: z.infer<typeof schema>): ConversionConfig {
  return { converterFile: value.HOLDFAST_CONVERTER_FILE, programFolders: value.PATH };
}
