// other: Java, with a selector, and for each client a buffer that is filled and compacted
import java.io.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;

public class Server {
    static final int LONGEST = 65536;

    public static void main(String[] args) throws IOException {
        Selector selector = Selector.open();
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))));
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        while (true) {
            selector.select();
            for (SelectionKey key : selector.selectedKeys()) {
                if (key.isAcceptable()) {
                    SocketChannel conn = listener.accept();
                    if (conn != null) {
                        conn.configureBlocking(false);
                        conn.register(selector, SelectionKey.OP_READ, ByteBuffer.allocate(2 * (4 + LONGEST)));
                    }
                } else if (!reads((SocketChannel) key.channel(), (ByteBuffer) key.attachment())) {
                    key.cancel();
                    key.channel().close();
                }
            }
            selector.selectedKeys().clear();
        }
    }

    /** Whether the client is still there. */
    static boolean reads(SocketChannel conn, ByteBuffer came) {
        try {
            if (conn.read(came) < 0) {
                return false;
            }
            came.flip();
            while (came.remaining() >= 4) {
                int length = came.getInt(came.position());
                if (length < 0 || length > LONGEST) {
                    return false;
                }
                if (came.remaining() < 4 + length) {
                    break;
                }
                byte[] frame = new byte[4 + length];
                came.get(frame);
                for (int at = 4; at < frame.length; at++) {
                    frame[at] = (byte) Character.toUpperCase((char) (frame[at] & 0xff));
                }
                for (ByteBuffer answer = ByteBuffer.wrap(frame); answer.hasRemaining(); ) {
                    conn.write(answer);
                }
            }
            came.compact();
            return true;
        } catch (IOException error) {
            return false;
        }
    }
}
