// other: node, with events; it listens on all addresses of both families
const crypto = require("node:crypto");
const net = require("node:net");

function say(conn, fields) {
  const text = Buffer.from(JSON.stringify(fields));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  conn.write(Buffer.concat([length, text]));
}

function understood(text) {
  try {
    const header = JSON.parse(text);
    const fits = Number.isInteger(header.size) && header.size >= 0 && header.size <= 65536;
    return fits ? header : null;
  } catch {
    return null;
  }
}

const server = net.createServer((conn) => {
  let came = Buffer.alloc(0);
  let refused = false;
  conn.on("error", () => {});
  conn.on("data", (piece) => {
    came = Buffer.concat([came, piece]);
    while (!refused && came.length >= 4) {
      const end = 4 + came.readUInt32BE(0);
      if (end <= 4 + 1024 && came.length < end) return;
      const header = end <= 4 + 1024 ? understood(came.toString("utf8", 4, end)) : null;
      if (!header) {
        refused = true;
        say(conn, { status: "error", code: "header" });
        return conn.end();
      }
      if (came.length < end + header.size) return;
      const body = came.subarray(end, end + header.size);
      came = came.subarray(end + header.size);
      const digest = crypto.createHash("sha256").update(body).digest("hex");
      if (digest === header.sha256) say(conn, { status: "ok", name: header.name, size: header.size });
      else say(conn, { status: "error", code: "digest" });
    }
  });
});
server.listen(Number(process.env.PORT));
