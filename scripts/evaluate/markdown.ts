/** The card as Markdown, for docs/. */
import type { ErrorCard } from './card.ts';
import { type Block, documentOf } from './document.ts';

export function markdownOf(card: ErrorCard): string {
  const drawn = documentOf(card).flatMap((block) => {
    const text = blockOf(block);
    return text === '' ? [] : [text];
  });
  return `${drawn.join('\n\n')}\n`;
}

function blockOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${block.text}`;
    case 'text':
      return block.text;
    case 'list':
      return block.items.map((item) => `- ${item}`).join('\n');
    case 'table':
      return [block.head, block.head.map(() => '---'), ...block.rows]
        .map((row) => `| ${row.map(cell).join(' | ')} |`)
        .join('\n');
    case 'plot':
      return '';
  }
}

/** A name that somebody gave a folder or a group must not end the cell. */
const cell = (text: string) => text.replaceAll('|', '\\|');
