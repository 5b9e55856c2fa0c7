/** Clients of /api/stream in a process of their own: `listeners.ts <port> <reading> <deaf>`. Each line on stdin is a question. */
import { connect } from "node:net";

const [port = 0, reading = 0, deaf = 0] = process.argv.slice(2).map(Number);
let bytes = 0;

for (let i = 0; i < reading + deaf; i += 1) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  if (i < deaf) socket.pause();
  else {
    socket.on("data", (more) => {
      bytes += more.length;
    });
  }
}
process.on("message", () => {
  process.send?.(bytes);
});
