// other: Java, with a selector, channels and a buffer that is filled again when it is empty
import java.io.*;
import java.net.*;
import java.nio.*;
import java.nio.channels.*;
import java.util.*;

public class Server {
    static class Client {
        long asked, made;
        ByteBuffer piece = ByteBuffer.allocate(8192).limit(0);
    }

    public static void main(String[] args) throws IOException {
        Selector selector = Selector.open();
        ServerSocketChannel listener = ServerSocketChannel.open();
        String host = System.getenv("HOST");
        listener.bind(new InetSocketAddress(host, Integer.parseInt(System.getenv("PORT"))), 128);
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        while (true) {
            selector.select();
            Iterator<SelectionKey> keys = selector.selectedKeys().iterator();
            while (keys.hasNext()) {
                SelectionKey key = keys.next();
                keys.remove();
                if (key.isAcceptable()) {
                    SocketChannel conn = listener.accept();
                    if (conn != null) {
                        conn.configureBlocking(false);
                        conn.register(selector, SelectionKey.OP_READ, new Client());
                    }
                    continue;
                }
                SocketChannel conn = (SocketChannel) key.channel();
                try {
                    Client client = (Client) key.attachment();
                    boolean stays = key.isReadable() ? read(conn, client, key) : write(conn, client);
                    if (!stays) {
                        conn.close();
                    }
                } catch (IOException error) {
                    conn.close();
                }
            }
        }
    }

    static boolean read(SocketChannel conn, Client client, SelectionKey key) throws IOException {
        ByteBuffer came = ByteBuffer.allocate(64);
        if (conn.read(came) < 0) {
            return false;
        }
        came.flip();
        while (came.hasRemaining()) {
            byte b = came.get();
            if (b == '\n') {
                key.interestOps(SelectionKey.OP_WRITE);
                return true;
            }
            client.asked = client.asked * 10 + (b - '0');
        }
        return true;
    }

    static boolean write(SocketChannel conn, Client client) throws IOException {
        if (!client.piece.hasRemaining()) {
            client.piece.clear();
            while (client.piece.hasRemaining() && client.made < client.asked) {
                client.piece.put((byte) ('a' + client.made++ % 26));
            }
            client.piece.flip();
        }
        conn.write(client.piece);
        return client.piece.hasRemaining() || client.made < client.asked;
    }
}
