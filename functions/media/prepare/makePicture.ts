import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { FileToSend } from '../../../shared/media/fileToSend.ts';
import type { PictureUse } from '../../../shared/media/pictureBytes.ts';
import type { PreparedPicture } from '../../../shared/media/pictureStore.ts';
import { fileIn, PrepareError } from './converter.ts';
import { fileTypeOf } from './fileTypes.ts';
import { prepareLimits } from './prepareLimits.ts';
import { treatmentOf } from './prepareRules.ts';
import { headOf, readInto, type PrepareDependencies } from './prepareFile.ts';

/**
 * Makes a file a picture of an account, a group or a contact: a small square JPEG, in the process that decodes bytes of strangers. Throws where the store of objects
 * or the disk fails, and the signal's reason when it aborts.
 */
export async function makePicture(
  { objects, converter }: PrepareDependencies,
  { objectKey }: Pick<FileToSend, 'objectKey'>,
  as: PictureUse,
  signal: AbortSignal,
): Promise<PreparedPicture> {
  try {
    const found = await objects.head(objectKey);
    if (found === undefined) throw new PrepareError('gone', 'there is no object');
    if (found.bytes === 0) throw new PrepareError('empty', 'no bytes');
    if (found.bytes > prepareLimits.image.bytes) throw new PrepareError('too_large', `${found.bytes} bytes`);
    // What may be sent as a photo may be a picture.
    if (treatmentOf('image', fileTypeOf(await headOf(objects, objectKey, signal)), true) !== 'photo') {
      throw new PrepareError('wrong_type', 'no picture by its bytes');
    }
    const jpeg = await converter.inFolder(async (folder) => {
      const [path, out] = [fileIn(folder, 'given'), fileIn(folder, 'made')];
      await readInto(objects, objectKey, createHash('sha256'), createWriteStream(path, { mode: 0o600 }), signal);
      await converter.convert({ do: as, path, out }, folder, signal);
      return readFile(out);
    }, signal);
    return { state: 'ready', jpeg };
  } catch (error) {
    // Streams give up with an error of their own.
    signal.throwIfAborted();
    if (!(error instanceof PrepareError)) throw error;
    return { state: 'failed', fault: error.fault === 'other_codec' ? 'broken' : error.fault };
  }
}
