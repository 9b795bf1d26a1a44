/** The most bytes of a picture of an account or a group that is set: a fourth of what a row may take, and more than phones send. */
export const PICTURE_BYTES = 100 * 1_024;
