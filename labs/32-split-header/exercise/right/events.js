// other: node, with events; it listens on all addresses of both families
const net = require("node:net");

const server = net.createServer((conn) => {
  let came = Buffer.alloc(0);
  conn.on("error", () => {});
  conn.on("data", (piece) => {
    came = Buffer.concat([came, piece]);
    while (came.length >= 4) {
      const length = came.readUInt32BE(0);
      if (length > 65536) return conn.destroy();
      if (came.length < 4 + length) return;
      conn.write(came.subarray(0, 4));
      conn.write(came.subarray(4, 4 + length).toString("latin1").toUpperCase(), "latin1");
      came = came.subarray(4 + length);
    }
  });
});
server.listen(Number(process.env.PORT));
