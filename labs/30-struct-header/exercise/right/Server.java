// other: Java, with a thread for each client and streams that buffer
import java.io.*;
import java.net.*;

public class Server {
    public static void main(String[] args) throws IOException {
        try (ServerSocket listener = new ServerSocket(Integer.parseInt(System.getenv("PORT")))) {
            while (true) {
                Socket conn = listener.accept();
                new Thread(() -> serve(conn)).start();
            }
        }
    }

    static void serve(Socket conn) {
        try (conn) {
            DataInputStream in = new DataInputStream(new BufferedInputStream(conn.getInputStream()));
            DataOutputStream out = new DataOutputStream(new BufferedOutputStream(conn.getOutputStream()));
            while (true) {
                int length = in.readInt();
                if (length < 0 || length > 65536) {
                    return;
                }
                byte[] text = new byte[length];
                in.readFully(text);
                for (int i = 0; i < length; i++) {
                    text[i] = (byte) Character.toUpperCase((char) (text[i] & 0xff));
                }
                out.writeInt(length);
                out.write(text);
                out.flush();
            }
        } catch (IOException error) {
            System.err.println("left: " + error);
        }
    }
}
