// other: node, with events and synchronous files; it listens on all addresses of both families
const crypto = require("node:crypto");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");

const folder = process.env.FOLDER;
fs.mkdirSync(folder, { recursive: true });

function say(conn, fields) {
  const text = Buffer.from(JSON.stringify(fields));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  conn.write(Buffer.concat([length, text]));
}

function understood(text) {
  try {
    const header = JSON.parse(text);
    if (typeof header.filename !== "string") return null;
    if (header.cmd === "get") return { ...header, filesize: 0 };
    const size = header.filesize;
    const fits = Number.isInteger(size) && size >= 0 && size <= 1048576 && typeof header.sha256 === "string";
    return fits && header.cmd === "put" ? header : null;
  } catch {
    return null;
  }
}

function act(conn, header, file) {
  const name = header.filename;
  if (!/^[^./\0][^/\0]*$/su.test(name) || Buffer.byteLength(name) > 255) throw new Error("name");
  const place = path.join(folder, name);
  if (header.cmd === "get") {
    const data = fs.readFileSync(place);
    say(conn, { ok: true, filesize: data.length });
    conn.write(data);
    return;
  }
  const digest = crypto.createHash("sha256").update(file).digest("hex");
  if (digest !== header.sha256) throw new Error("digest");
  const unfinished = path.join(folder, ".unfinished");
  fs.rmSync(unfinished, { force: true });
  fs.writeFileSync(unfinished, file);
  fs.linkSync(unfinished, place);
  fs.unlinkSync(unfinished);
  say(conn, { ok: true });
}

const server = net.createServer((conn) => {
  let came = Buffer.alloc(0);
  let refused = false;
  conn.on("error", () => {});
  conn.on("data", (piece) => {
    came = Buffer.concat([came, piece]);
    while (!refused && came.length >= 4) {
      const end = 4 + came.readUInt32BE(0);
      if (end <= 4 + 65536 && came.length < end) return;
      const header = end <= 4 + 65536 ? understood(came.toString("utf8", 4, end)) : null;
      if (!header) {
        refused = true;
        say(conn, { ok: false, error: "header" });
        return conn.end();
      }
      if (came.length < end + header.filesize) return;
      const file = came.subarray(end, end + header.filesize);
      came = came.subarray(end + header.filesize);
      try {
        act(conn, header, file);
      } catch (error) {
        say(conn, { ok: false, error: error.message.slice(0, 99) });
      }
    }
  });
});
server.listen(Number(process.env.PORT));
