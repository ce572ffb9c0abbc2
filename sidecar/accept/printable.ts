// What an agent wrote, as a sentence to it or a log line may show it: short, and without bytes that could disguise it.

export const printable = (text: string): string => text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
