// other: node, with events, half-open connections, and a write that goes on with "drain"
const net = require("node:net");
const ALPHABET = Buffer.from("abcdefghijklmnopqrstuvwxyz".repeat(500));

const server = net.createServer({ allowHalfOpen: true }, (conn) => {
  let asked = "";
  let left = -1;
  const goOn = () => {
    while (left > 0) {
      const piece = ALPHABET.subarray(0, Math.min(left, ALPHABET.length));
      left -= piece.length;
      if (!conn.write(piece) && left > 0) return;
    }
    if (left === 0) conn.end();
  };
  conn.on("error", () => conn.destroy());
  conn.on("data", (came) => {
    asked += came.toString("latin1");
    if (left < 0 && asked.endsWith("\n")) {
      left = Number(asked);
      goOn();
    }
  });
  conn.on("drain", goOn);
  conn.on("end", () => left < 0 && conn.end());
});
server.listen(Number(process.env.PORT), process.env.HOST);
