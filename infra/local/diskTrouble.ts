const START_AGAIN = 'then start again.';
const OTHER_FOLDER = 'or choose another folder: npm start -- --data DIR';

/** What a person can do about a place that cannot be written, by the error code of the system. */
const sentences: Readonly<Record<string, (place: string) => string>> = {
  ENOSPC: (place) => `The disk that holds ${place} is full. Make room, ${START_AGAIN}`,
  EDQUOT: (place) => `Your quota on the disk that holds ${place} is used up. Make room, ${START_AGAIN}`,
  EFBIG: (place) => `A file in ${place} has reached the size that this system allows. Make room, ${START_AGAIN}`,
  EROFS: (place) => `The disk that holds ${place} is mounted read-only. Make it writable, ${OTHER_FOLDER}`,
  EACCES: (place) => `This user may not write ${place}. Change its owner, ${OTHER_FOLDER}`,
  EPERM: (place) => `This user may not write ${place}. Change its owner, ${OTHER_FOLDER}`,
  EIO: (place) => `The disk that holds ${place} reports a fault. Check it, ${OTHER_FOLDER}`,
  ENOTDIR: (place) =>
    `${place} is not a folder, or a part of its path is a file. Choose another: npm start -- --data DIR`,
  EEXIST: (place) => `${place} is not a folder. Choose another: npm start -- --data DIR`,
  EISDIR: (place) => `${place} holds a folder where a file belongs. Choose another: npm start -- --data DIR`,
  ENOENT: (place) => `${place} cannot be made. Choose another folder: npm start -- --data DIR`,
  ELOOP: (place) => `The path of ${place} leads back to itself. Choose another folder: npm start -- --data DIR`,
  ENAMETOOLONG: (place) => `The path of ${place} is too long. Choose another folder: npm start -- --data DIR`,
  EINVAL: (place) => `${place} cannot be a path. Choose another folder: npm start -- --data DIR`,
  ERR_INVALID_ARG_VALUE: (place) => `${place} cannot be a path. Choose another folder: npm start -- --data DIR`,
};
/** Errors that a disk may come to have while everything runs. Other codes may be about a socket or a program. */
const WHILE_RUNNING = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO'] as const;

/** One sentence about a place that cannot be written; undefined when the error is not about that. */
export function diskSentence(error: unknown, place: string): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && Object.hasOwn(sentences, code) ? sentences[code]?.(place) : undefined;
}

/** The same sentence, found in the output of a program that has ended. Only SQLite has words of its own for it. */
export function diskSentenceIn(output: string, place: string): string | undefined {
  const code = /database or disk is full|SQLITE_FULL/.test(output)
    ? 'ENOSPC'
    : /readonly database|SQLITE_READONLY/.test(output)
      ? 'EROFS'
      : WHILE_RUNNING.find((one) => new RegExp(`\\b${one}\\b`).test(output));
  return code === undefined ? undefined : sentences[code]?.(place);
}

/**
 * Runs a function that works with the files of a place. Throws an Error with one sentence where the function would
 * throw a code.
 */
export function withDiskSentence<Value>(place: string, act: () => Value): Value {
  try {
    return act();
  } catch (cause) {
    const sentence = diskSentence(cause, place);
    throw sentence === undefined ? cause : new Error(sentence, { cause });
  }
}
