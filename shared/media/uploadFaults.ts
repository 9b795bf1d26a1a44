import { prepareFaults, type PrepareFault } from './prepareFaults.ts';

/** The reasons for which a file that is there could not be brought to WhatsApp. */
export type UploadFault = PrepareFault | 'not_uploaded' | 'refused';

const sentencesOfPreparing = Object.entries(prepareFaults).map(([fault, { sentence }]) => [fault, sentence]);

/** The same, each with one sentence that says what to do. */
export const uploadFaults = {
  ...(Object.fromEntries(sentencesOfPreparing) as Readonly<Record<PrepareFault, string>>),
  not_uploaded: "WhatsApp's hosts did not take the file, however often they were asked. Send the message again later.",
  refused: "WhatsApp's hosts refused the file. Sent again unchanged it is likely to be refused again.",
} as const satisfies Readonly<Record<UploadFault, string>>;
