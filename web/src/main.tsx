import { render } from 'preact';
import { loadConfig } from './config.ts';
import { restoreTheme } from './model/theme.ts';
import { App } from './ui/app.tsx';

restoreTheme();
const config = await loadConfig();
const root = document.getElementById('app');
if (root !== null) render(<App config={config} />, root);
