interface PrepareFaultRule {
  readonly sentence: string;
}

/** The reasons for which a file cannot be sent as what it is to be sent as, and what to do. None of them is over at the next try. */
export const prepareFaults = {
  gone: { sentence: 'The file is no longer kept here. Bring it again, and send that one.' },
  empty: { sentence: 'The file has no bytes. Bring it again.' },
  too_large: {
    sentence: 'The file is larger than this kind of message may be. Make it smaller, or send it as a document.',
  },
  wrong_type: {
    sentence:
      'By its bytes the file is of a type that this kind of message does not take. Send it as another kind, such as a document, or convert it first.',
  },
  broken: {
    sentence: 'The file is damaged or breaks off: it cannot be read to its end. Look at it, and bring it again.',
  },
  too_many_pixels: {
    sentence: 'The picture has more pixels than can be converted. Make it smaller, or send it as a document.',
  },
  too_many_frames: {
    sentence: 'The animation has more pictures than can be converted. Shorten it, or send it as a video.',
  },
  too_long: {
    sentence: 'The recording is longer than this kind of message may be. Shorten it, or send it as a document.',
  },
  wrong_count: {
    sentence:
      'A pack has 3 to 30 stickers, in an archive of at most 100 files. Put as many pictures into it, and bring it again.',
  },
  not_square: { sentence: 'A video note is as wide as it is high. Crop the video, or send it as a video.' },
  no_sound: { sentence: 'There is no sound in the file that could be sent.' },
  no_picture: { sentence: 'There is no picture in the file that could be sent.' },
  needs_ffmpeg: {
    sentence:
      'To convert this file takes the program ffmpeg, which is not installed where files are converted. Convert it first, or ask the operator to install the package ffmpeg.',
  },
  too_costly: {
    sentence:
      'To convert this file takes more time or memory than one file is given. Make it smaller, convert it first, or send it as a document.',
  },
} as const satisfies Readonly<Record<string, PrepareFaultRule>>;
export type PrepareFault = keyof typeof prepareFaults;
