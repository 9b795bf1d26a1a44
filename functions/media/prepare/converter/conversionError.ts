import type { PrepareFault } from '../../../../shared/media/prepareFaults.ts';

/** A file that cannot be converted. `other_codec`: it may be by a program that knows more codecs. */
export type ConversionFault = Exclude<PrepareFault, 'gone' | 'needs_ffmpeg'> | 'other_codec';

export class ConversionError extends Error {
  override readonly name = 'ConversionError';
  readonly fault: ConversionFault;

  constructor(fault: ConversionFault, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.fault = fault;
  }
}
