// Answers to what never became a call: bytes that no parser could read as a request. There is nobody to charge them to
// and nothing to record but a counter.

import type { Socket } from 'node:net';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

export function answerUnreadable(failure: NodeJS.ErrnoException, socket: Socket): void {
  if (failure.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (failure.code === 'HPE_HEADER_OVERFLOW')
    return plainly(socket, 431, 'The headers are larger than 16 KiB.');
  if (failure.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return plainly(socket, 408, 'The request did not arrive in time.');
  plainly(socket, 400, 'This is not a well-formed HTTP/1.1 request.');
}

function plainly(socket: Socket, status: number, sentence: string): void {
  const body = JSON.stringify({ error: { code: 'bad_request', message: sentence } });
  socket.end(
    `HTTP/1.1 ${status} ${REASONS[status]}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n` +
      `x-outrider-refusal: bad_request\r\nx-should-retry: false\r\nconnection: close\r\n\r\n${body}`,
  );
}
