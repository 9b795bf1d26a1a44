import type { AppliedSettingValues } from '../../../shared/connection/settings.ts';
import type { MediaFile } from '../../../shared/content/mediaFile.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { chatKindOf } from '../../../shared/connection/chatKind.ts';

/** The fact with a note on each of its files that is not to be fetched, as the settings say. Any other fact is as it was. */
export function withFilePolicy<Told extends Fact>(fact: Told, policy: AppliedSettingValues['media']): Told {
  if (fact.kind !== 'message' || fact.files === undefined) return fact;
  const isLeftInChat = policy[chatKindOf(fact.chat)] === 'leave';
  const files = fact.files.map((file): MediaFile =>
    isLeftInChat || isLeft(file, policy) ? { ...file, left: true } : file,
  );
  return { ...fact, files };
}

function isLeft({ use, bytes = 0 }: MediaFile, { files, mostBytes }: AppliedSettingValues['media']): boolean {
  return bytes > mostBytes || (use !== undefined && use !== 'history' && files[use] === 'leave');
}
