// What a process still holds once its garbage is collected: asked through Node's own inspector, so that nothing of ours
// runs in the process that is measured, and nothing that is merely not collected yet is taken for a leak.

export interface Memory {
  /** What the process holds after a forced collection, in bytes. */
  held(): Promise<Held>;
  close(): void;
}

export interface Held {
  /** Objects, and the bytes of buffers outside the heap. */
  readonly liveBytes: number;
  readonly residentBytes: number;
}

interface Reply {
  readonly id: number;
  readonly result?: { readonly result?: { readonly value?: string } };
  readonly error?: { readonly message: string };
}

/** How to start `outrider` so that it can be asked; the small nursery is the first line's of `bin/outrider.js`. */
export const INSPECTED = {
  program: [process.execPath, '--inspect=127.0.0.1:0'],
  args: ['--max-semi-space-size=4', new URL('../../bin/outrider.js', import.meta.url).pathname],
} as const;

const ADDRESS = /Debugger listening on (ws:\S+)/;

/** `output` is what the process wrote so far. */
export async function inspect(output: string): Promise<Memory> {
  const address = ADDRESS.exec(output)?.[1];
  if (address === undefined) throw new Error(`no inspector in: ${output}`);
  const socket = new WebSocket(address);
  const waiting = new Map<number, (reply: Reply) => void>();
  let last = 0;
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply;
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', reject, { once: true });
  });

  const ask = async (method: string, params = {}): Promise<string> => {
    const id = ++last;
    const replied = new Promise<Reply>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await replied;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result?.result?.value ?? '';
  };

  return {
    async held() {
      for (let times = 0; times < 3; times++) await ask('HeapProfiler.collectGarbage');
      const expression = 'JSON.stringify(process.memoryUsage())';
      const { heapUsed, external, rss } = JSON.parse(
        await ask('Runtime.evaluate', { expression }),
      ) as NodeJS.MemoryUsage;
      return { liveBytes: heapUsed + external, residentBytes: rss };
    },
    close: () => socket.close(),
  };
}
