/** Breaking text into lines, for paper: a drawn receipt measures in ems, a printer's grid in columns. */

/** Characters in full-width shape begin here (CJK radicals); everything before is set word by word. */
export const WIDE_FROM = 0x2e80;
const STEP = 0.5;

/** Lines no wider than the room, as few as will do and then as even as they come: no word alone on the last. Breaks before any
 *  full-width character but those that may not begin a line (JIS X 4051), between other words, and within a word that is wider than a line. */
export function wrapText(text: string, room: number, measure: (text: string) => number): string[] {
  const pieces = (text.match(/[\u2e80-\uffff][、。）」ー]*|[^\s\u2e80-\uffff]+\s*|\s+/gu) ?? []).flatMap((piece) =>
    measure(piece.trimEnd()) > room ? [...piece] : [piece],
  );
  const greedy = (width: number): string[] => {
    const lines = [''];
    for (const piece of pieces) {
      const line = lines.at(-1)!;
      if (line && measure(line + piece.trimEnd()) > width) lines.push(piece);
      else lines[lines.length - 1] = line + piece;
    }
    return lines;
  };
  const fewest = greedy(room).length;
  let width = measure(text) / fewest;
  while (width < room && greedy(width).length > fewest) width += STEP;
  return greedy(Math.min(width, room)).map((line) => line.trimEnd());
}
