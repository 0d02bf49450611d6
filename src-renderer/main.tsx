/** Entry of the screen process. */
import './styles/fonts.css';
import './styles/base.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { connectBridge } from './bridge/connect.ts';
import { startTexts } from './i18n/i18n.ts';

// A finger that rests on the screen is not a right click.
addEventListener('contextmenu', (event) => event.preventDefault());

await startTexts();
const place = document.getElementById('screen');
if (!place) throw new Error('index.html has no element #screen');
createRoot(place).render(<App bridge={connectBridge()} />);
