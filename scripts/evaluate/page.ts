/** The card as one page that needs nothing else: no script, no font, no picture from elsewhere. */
import type { ErrorCard } from './card.ts';
import { type Block, documentOf } from './document.ts';
import { escaped, plotOf } from './plots.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1a1f24; --quiet: #5a646e; --line: #d5dadf; --paper: #fff; --a: #0b5cad; --b: #c2410c; --c: #15803d; --d: #7e22ce; --e: #92400e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --quiet: #9aa5af; --line: #3a424a; --paper: #14181c; --a: #6cb2f5; --b: #fb923c; --c: #4ade80; --d: #d8b4fe; --e: #fbbf24; } }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.9rem; } h2 { font-size: 1.25rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } th { font-weight: 600; }
figure { margin: 1.2rem 0; } figcaption { font-weight: 600; } svg { width: 100%; max-width: 44rem; height: auto; }
code { font-size: .9em; } svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; } .grid { stroke: var(--line); } .line { fill: none; stroke-width: 2; }
`;

export function pageOf(card: ErrorCard): string {
  const body = documentOf(card).map(blockOf).join('\n');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Error card: ${escaped(card.title)}</title><style>${STYLE}</style></head>
<body>
${body}
</body>
</html>
`;
}

function blockOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level}>${escaped(block.text)}</h${block.level}>`;
    case 'text':
      return `<p>${marked(block.text)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${marked(item)}</li>`).join('')}</ul>`;
    case 'table': {
      const head = block.head.map((text) => `<th scope="col">${marked(text)}</th>`).join('');
      const rows = block.rows
        .map((row) => `<tr>${row.map((text) => `<td>${marked(text)}</td>`).join('')}</tr>`)
        .join('\n');
      return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>\n${rows}\n</tbody></table></div>`;
    }
    case 'plot':
      return `<figure><figcaption>${escaped(block.plot.title)}</figcaption>${plotOf(block.plot)}</figure>`;
  }
}

/** The two marks that the card's sentences use. */
function marked(text: string): string {
  return escaped(text)
    .replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>')
    .replace(/`(.+?)`/g, '<code>$1</code>');
}
