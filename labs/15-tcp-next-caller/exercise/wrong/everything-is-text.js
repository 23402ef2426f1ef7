// wrong: what comes from the network is taken for UTF-8
// fails: any-bytes
// shows: wrong, got "�"
const net = require("node:net");

const server = net.createServer((conn) => {
  conn.on("error", () => {});
  conn.on("data", (piece) => conn.write(piece.toString().toUpperCase()));
});
server.listen(Number(process.env.PORT), process.env.HOST);
