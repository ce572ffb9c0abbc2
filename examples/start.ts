// `npm start`: the practice provider of the sample configuration, then `outrider up` with whatever was asked for. With
// a configuration of your own (OUTRIDER_CONFIG or --config) the practice provider stays away.

import { startProvider } from './provider/provider.ts';

const PRACTICE_PORT = 4330;
const args = process.argv.slice(2);
const ownConfig = process.env.OUTRIDER_CONFIG !== undefined || args.some((arg) => arg.startsWith('--config'));

if (!ownConfig) {
  try {
    const provider = await startProvider({ port: PRACTICE_PORT });
    process.stderr.write(
      `A practice provider answers for OpenAI, Anthropic and Gemini at ${provider.url}.\n`,
    );
    process.once('SIGTERM', () => void provider.close());
    process.once('SIGINT', () => void provider.close());
  } catch (failure) {
    const code = failure instanceof Error && 'code' in failure ? String(failure.code) : String(failure);
    process.stderr.write(
      `The practice provider cannot listen on port ${PRACTICE_PORT} (${code}); what is there will be called.\n`,
    );
  }
}
process.argv = [process.argv[0]!, process.argv[1]!, 'up', ...args];
await import(new URL('../bin/outrider.js', import.meta.url).href);
