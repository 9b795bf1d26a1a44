import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConversionConfig } from '../../../shared/platform/conversionConfig.ts';
import type { Logger } from '../../../shared/platform/logger.ts';
import { Converter } from './converter.ts';
import { findFfmpeg } from './ffmpeg.ts';

/** The converter of a process, with what the machine has. */
export function makeConverter(config: ConversionConfig, logger: Pick<Logger, 'info' | 'warn'>): Converter {
  return new Converter({
    program: config.converterFile,
    ffmpeg: findFfmpeg(config.programFolders),
    folder: join(tmpdir(), 'holdfast-conversions'),
    logger,
  });
}
