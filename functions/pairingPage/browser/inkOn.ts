/** The colour of text that is read best on another one, by the contrast of WCAG 2.2: it is at least 4.5 on any. */
export function inkOn(color: string): '#000000' | '#ffffff' {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((from) => {
    const part = Number.parseInt(color.slice(from, from + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.212_6 * red + 0.715_2 * green + 0.072_2 * blue;
  // Both are as good at 0.179, where (1 + 0.05) / (l + 0.05) = (l + 0.05) / 0.05.
  return luminance > 0.179 ? '#000000' : '#ffffff';
}
