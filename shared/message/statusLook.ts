/** The look of a status. */
export interface StatusLook {
  readonly backgroundColor?: string | undefined;
  readonly font?: number | undefined;
}
