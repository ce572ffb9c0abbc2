// The console begins here: styles, the theme that was chosen, and the page.

import './style/tokens.css';
import './style/page.css';
import './style/tables.css';
import './style/parts.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { applyChosenTheme } from './theme.ts';

applyChosenTheme();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
