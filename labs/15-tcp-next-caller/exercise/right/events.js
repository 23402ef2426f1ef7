// other: node, with events, on all addresses of both families; each answer is written in two pieces
const net = require("node:net");

const server = net.createServer((conn) => {
  conn.on("error", () => {});
  conn.on("data", (piece) => {
    const answer = Buffer.from(piece.toString("latin1").replace(/[a-z]/g, (c) => c.toUpperCase()), "latin1");
    conn.write(answer.subarray(0, 1));
    conn.write(answer.subarray(1));
  });
});
server.listen(Number(process.env.PORT));
