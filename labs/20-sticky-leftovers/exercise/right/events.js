// other: node, with events and TextDecoder
const net = require("node:net");
const server = net.createServer((conn) => {
  let name = Buffer.alloc(0);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  conn.on("error", () => {});
  const tell = (bytes, more) => {
    try {
      for (const character of decoder.decode(bytes, { stream: more })) {
        conn.write("U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "\n");
      }
    } catch {
      conn.end("not UTF-8\n");
    }
  };
  conn.on("data", (piece) => {
    if (name.length < 8) {
      const missing = 8 - name.length;
      name = Buffer.concat([name, piece.subarray(0, missing)]);
      if (name.length < 8) return;
      conn.write(name);
      piece = piece.subarray(missing);
    }
    if (piece.length > 0 && conn.writable) tell(piece, true);
  });
  conn.on("end", () => name.length === 8 && conn.writable && tell(Buffer.alloc(0), false));
});
server.listen(Number(process.env.PORT), process.env.HOST);
